SELECT min(run_at) FROM job WHERE ready = 0 AND status IN (1, 3)
