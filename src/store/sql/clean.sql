DELETE FROM job WHERE queue = ?1 AND ready = 0 AND status = +?2 AND finished_at <= ?3
