SELECT id, status FROM auton8n.job WHERE queue = $1 AND id = ANY ($2::text[]) ORDER BY seq FOR UPDATE
