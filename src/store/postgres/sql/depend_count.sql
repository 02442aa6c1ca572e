UPDATE auton8n.job SET waits_for = (SELECT count(*) FROM auton8n.dependency WHERE child = $1) WHERE id = $1
