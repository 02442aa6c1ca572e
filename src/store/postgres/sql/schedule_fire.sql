UPDATE auton8n.schedule SET last_at = next_at, next_at = $4 WHERE queue = $1 AND id = $2 AND next_at = $3
