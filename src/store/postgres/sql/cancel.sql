WITH ended AS (
  UPDATE auton8n.job SET status = 6, ready = false, finished_at = $3 WHERE queue = $1 AND id = $2 AND status < 4 RETURNING *
), freed AS MATERIALIZED (SELECT auton8n.release(id, 6::smallint, $3) FROM ended WHERE parent)
SELECT
