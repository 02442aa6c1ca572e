INSERT INTO job (id, queue, name, data, options, status, ready, priority, fair_key, unique_key, attempts, progress, stage, iteration,
  checkpoint, result, error_code, error_message, created_at, run_at, started_at, finished_at, waits_for, crc, seq)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)
ON CONFLICT (id) DO NOTHING
