-- What never ran nor was given back told nothing: most jobs that are done at once.
DROP TRIGGER job_log_goes_with_job;
CREATE TRIGGER job_log_goes_with_job AFTER DELETE ON job WHEN old.fence > 0 OR old.attempts > 0 BEGIN
  DELETE FROM job_log WHERE job = old.seq;
END;
