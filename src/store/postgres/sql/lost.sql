SELECT held.id, held.fence FROM unnest($1::text[], $2::bigint[]) AS held (id, fence)
WHERE NOT EXISTS (SELECT FROM auton8n.job WHERE job.id = held.id AND job.fence = held.fence AND status = 2)
