INSERT INTO job (id, queue, name, data, options, status, ready, priority, fair_key, attempts, fence, lease_until, progress, result,
  created_at, run_at, started_at, finished_at, crc, seq)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, '', ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
