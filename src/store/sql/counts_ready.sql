SELECT (SELECT count(*) FROM job WHERE queue = ?1 AND ready = 1 AND status = 3), count(*), min(seq) FROM job
WHERE queue = ?1 AND ready = 1 AND seq NOT IN (SELECT seq FROM job WHERE queue = ?1 AND ready = 1 AND status = 3)
