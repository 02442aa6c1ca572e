WITH ended AS (
UPDATE auton8n.job SET status = new.status, ahead = false, ready = new.status = 0,
  progress = CASE new.status WHEN 4 THEN 100 ELSE progress END,
  result = CASE WHEN new.status IN (4, 5) THEN new.result ELSE job.result END,
  error_code = CASE new.status WHEN 0 THEN error_code ELSE new.code END,
  error_message = CASE new.status WHEN 0 THEN error_message ELSE new.message END,
  finished_at = CASE WHEN new.status IN (4, 5) THEN new.at ELSE finished_at END,
  run_at = CASE new.status WHEN 3 THEN new.at ELSE run_at END,
  attempts = attempts - new.back
FROM unnest($1::text[], $2::bigint[], $3::smallint[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::integer[])
  AS new (id, fence, status, result, code, message, at, back)
WHERE job.id = new.id AND job.fence = new.fence
  AND (job.status = 2 OR $9 AND new.status IN (4, 5) AND job.status = new.status)
RETURNING job.id, job.fence, job.queue, job.status, job.parent AND job.status IN (4, 5) AS parent, new.at
)
SELECT id, fence, queue, status, CASE WHEN parent THEN auton8n.release(id, status, at) ELSE false END,
  queue = ANY (ARRAY(SELECT name FROM auton8n.queue WHERE limits IS NOT NULL))
FROM ended
