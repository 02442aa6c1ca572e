SELECT status, count(*) FROM auton8n.job WHERE queue = $1 GROUP BY status
