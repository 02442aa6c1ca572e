UPDATE auton8n.job SET ready = true, status = CASE status WHEN 1 THEN 0 ELSE status END
WHERE seq IN (SELECT seq FROM auton8n.job WHERE NOT ready AND status IN (1, 3) AND waits_for = 0 AND run_at <= $1
  AND NOT (status = 1 AND error_code IS NOT NULL) ORDER BY run_at LIMIT 5000 FOR UPDATE SKIP LOCKED)
RETURNING queue
