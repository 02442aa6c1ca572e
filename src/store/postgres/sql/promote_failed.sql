WITH ended AS (
  UPDATE auton8n.job SET status = 5, finished_at = $1
  WHERE seq IN (SELECT seq FROM auton8n.job WHERE NOT ready AND status IN (1, 3) AND waits_for = 0 AND run_at <= $1
    AND status = 1 AND error_code IS NOT NULL ORDER BY run_at LIMIT 5000 FOR UPDATE SKIP LOCKED)
  RETURNING queue, id, name, error_code, error_message, parent
)
SELECT queue, id, name, error_code, error_message, CASE WHEN parent THEN auton8n.release(id, 5::smallint, $1) END FROM ended
