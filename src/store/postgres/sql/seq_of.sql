SELECT coalesce(
  (SELECT seq FROM auton8n.job WHERE id = $1),
  (SELECT seq + 1 FROM auton8n.job WHERE id < $1 ORDER BY id DESC LIMIT 1),
  0)
