SELECT least(
  (SELECT min(run_at) FROM auton8n.job WHERE NOT ready AND status IN (1, 3) AND waits_for = 0),
  (SELECT min(next_at) FROM auton8n.schedule WHERE next_at IS NOT NULL))
