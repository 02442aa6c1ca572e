UPDATE job SET ready = 1, status = CASE status WHEN 1 THEN 0 ELSE status END
WHERE seq IN (SELECT seq FROM job WHERE ready = 0 AND status IN (1, 3) AND waits_for = 0 AND run_at <= ?1
  ORDER BY run_at LIMIT ?2)
RETURNING queue
