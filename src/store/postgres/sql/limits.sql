SELECT limits::text FROM auton8n.queue WHERE name = $1
