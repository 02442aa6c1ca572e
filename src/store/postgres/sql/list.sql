 FROM auton8n.job
WHERE queue = $1 AND seq < $2 AND ($3::text IS NULL OR name = $3) AND ($5::smallint IS NULL OR status = $5)
ORDER BY seq DESC LIMIT $4
