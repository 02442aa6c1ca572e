INSERT INTO auton8n.job (id, queue, name, data, options, status, ready, priority, fair_key, unique_key, created_at, run_at,
  waits_for, error_code, error_message)
VALUES ($1, $2, $3, $4, $5, $6::smallint, $6::smallint = 0, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (id) DO NOTHING
