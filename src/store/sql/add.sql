INSERT INTO job (seq, id, queue, name, data, options, status, ready, priority, fair_key, unique_key, created_at, run_at)
VALUES (?13, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
