SELECT min(run_at) FROM auton8n.job WHERE NOT ready AND status IN (1, 3)
