 FROM auton8n.claim($1, $2, $3, $4, $5, $6, $7)
