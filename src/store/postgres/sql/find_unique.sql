SELECT job.queue, job.unique_key, job.id FROM unnest($1::text[], $2::text[]) AS asked (queue, key)
JOIN auton8n.job ON job.queue = asked.queue AND job.unique_key = asked.key AND job.status < 4
WHERE job.id <> ALL ($3::text[])
