INSERT INTO job (id, queue, name, data, options, status, ready, priority, fair_key, unique_key, created_at, run_at,
  waits_for, error_code, error_message, crc, seq)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
