INSERT INTO auton8n.state (key, version, value, at)
SELECT $1, $2::bigint + 1, $3, $4 WHERE $2 = 0 OR EXISTS (SELECT 1 FROM auton8n.state WHERE key = $1)
ON CONFLICT (key) DO UPDATE SET version = excluded.version, value = excluded.value, at = excluded.at
WHERE state.version = $2
RETURNING version
