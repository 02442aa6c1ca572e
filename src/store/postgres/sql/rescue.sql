WITH ended AS (
UPDATE auton8n.job SET fence = fence + 1, doubtful = doubtful OR ahead, ahead = false,
  -- One that was read ahead is not known to have started.
  stalls = CASE WHEN ahead THEN stalls ELSE stalls + 1 END,
  attempts = CASE WHEN ahead THEN attempts - 1 ELSE attempts END,
  ready = ahead OR stalls < $3,
  status = CASE WHEN ahead OR stalls < $3 THEN 0 ELSE 5 END,
  finished_at = CASE WHEN ahead OR stalls < $3 THEN finished_at ELSE $2 END,
  error_code = CASE WHEN ahead OR stalls < $3 THEN error_code ELSE $4 END,
  error_message = CASE WHEN ahead OR stalls < $3 THEN error_message
    ELSE 'its worker died ' || (stalls + 1) || ' times while it ran' END
FROM (SELECT seq AS of_seq, ahead AS was_ahead FROM auton8n.job WHERE status = 2 AND lease_until <= $1 ORDER BY seq LIMIT 1000
  FOR UPDATE SKIP LOCKED) AS over
WHERE seq = over.of_seq
RETURNING queue, id, name, status, error_message, parent AND status = 5 AS parent, over.was_ahead
)
SELECT queue, id, name, status, error_message, NOT was_ahead,
  CASE WHEN parent THEN auton8n.release(id, status, $2) END FROM ended
