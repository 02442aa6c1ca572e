WITH parents AS (
  UPDATE auton8n.job SET parent = true WHERE id = ANY ($2::text[]) AND status < 4 RETURNING id
)
INSERT INTO auton8n.dependency (parent, child, runs) SELECT id, $1, $3 FROM parents ON CONFLICT DO NOTHING
