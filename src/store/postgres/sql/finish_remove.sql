DELETE FROM auton8n.job USING unnest($1::text[], $2::bigint[]) AS gone (id, fence)
WHERE job.id = gone.id AND job.fence = gone.fence AND job.status = 2 RETURNING job.id, job.fence
