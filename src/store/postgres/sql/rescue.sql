WITH ended AS (
UPDATE auton8n.job SET stalls = stalls + 1, fence = fence + 1, ready = stalls < $3,
  status = CASE WHEN stalls < $3 THEN 0 ELSE 5 END,
  finished_at = CASE WHEN stalls < $3 THEN finished_at ELSE $2 END,
  error_code = CASE WHEN stalls < $3 THEN error_code ELSE $4 END,
  error_message = CASE WHEN stalls < $3 THEN error_message
    ELSE 'its worker died ' || (stalls + 1) || ' times while it ran' END
WHERE seq IN (SELECT seq FROM auton8n.job WHERE status = 2 AND lease_until <= $1 ORDER BY seq LIMIT 1000
  FOR UPDATE SKIP LOCKED)
RETURNING queue, id, name, status, error_message, parent AND status = 5 AS parent
)
SELECT queue, id, name, status, error_message, CASE WHEN parent THEN auton8n.release(id, status, $2) END FROM ended
