SELECT paused FROM auton8n.queue WHERE name = $1
