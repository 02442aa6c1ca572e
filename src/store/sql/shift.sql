UPDATE job SET run_at = run_at + ?1
WHERE ready = 0 AND status IN (1, 3) AND (status = 3 OR json_extract(options, '$.delay') IS NOT NULL)
