DELETE FROM auton8n.schedule WHERE queue = $1 AND id = $2 RETURNING id
