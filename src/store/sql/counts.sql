SELECT status, count(*) FROM job WHERE queue = ?1 AND ready = 0 GROUP BY status
