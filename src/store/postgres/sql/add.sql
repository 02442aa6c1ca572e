INSERT INTO auton8n.job (id, queue, name, data, options, status, ready, priority, fair_key, unique_key, created_at, run_at)
SELECT id, queue, name, data, options, status, status = 0, priority, fair_key, unique_key, created_at, run_at
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::smallint[], $8::text[],
  $9::text[], $10::bigint[], $11::bigint[]) WITH ORDINALITY
  AS new (id, queue, name, data, options, status, priority, fair_key, unique_key, created_at, run_at, place)
ORDER BY place ON CONFLICT (id) DO NOTHING
