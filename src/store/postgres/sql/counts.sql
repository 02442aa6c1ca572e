SELECT of_status::smallint, (SELECT count(*) FROM auton8n.job WHERE status = of_status AND queue = $1)
FROM generate_series(0, 6) AS of_status
