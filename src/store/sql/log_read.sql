SELECT line FROM job_log WHERE job = ?1 ORDER BY seq
