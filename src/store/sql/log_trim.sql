DELETE FROM job_log WHERE job = ?1
  AND seq <= (SELECT seq FROM job_log WHERE job = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)
