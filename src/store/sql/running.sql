SELECT count(*) FROM job INDEXED BY job_running WHERE queue = ?1 AND status = 2
