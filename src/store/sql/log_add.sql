INSERT INTO job_log (job, line) VALUES (?1, ?2)
