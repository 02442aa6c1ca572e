SELECT seq, id, queue, name, stalls FROM job INDEXED BY job_running WHERE status = 2 AND lease_until <= ?1 ORDER BY seq LIMIT 1000
