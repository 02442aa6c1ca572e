SELECT created_at FROM auton8n.job WHERE queue = $1 AND status = 0 ORDER BY seq LIMIT 1
