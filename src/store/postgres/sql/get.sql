 FROM auton8n.job WHERE queue = $1 AND id = $2
