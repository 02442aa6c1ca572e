WITH ended AS (
  DELETE FROM auton8n.job USING unnest($1::text[], $2::bigint[], $3::smallint[], $4::bigint[]) AS gone (id, fence, status, at)
  WHERE job.id = gone.id AND job.fence = gone.fence AND job.status = 2
  RETURNING job.id, job.fence, job.queue, gone.status, job.parent, gone.at
)
SELECT id, fence, queue, status, CASE WHEN parent THEN auton8n.release(id, status, at) ELSE false END,
  queue = ANY (ARRAY(SELECT name FROM auton8n.queue WHERE limits IS NOT NULL))
FROM ended
