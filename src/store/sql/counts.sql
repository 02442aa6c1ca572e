SELECT status, count(*) FROM job WHERE queue = ?1 GROUP BY status
