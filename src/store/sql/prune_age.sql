DELETE FROM job WHERE seq IN (SELECT seq FROM job WHERE queue = ?1 AND ready = 0 AND status = +?2 ORDER BY seq LIMIT 1000)
  AND finished_at < ?3
