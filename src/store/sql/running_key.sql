SELECT count(*) FROM job INDEXED BY job_running WHERE queue = ?1 AND fair_key = ?2 AND status = 2
