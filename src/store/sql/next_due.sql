SELECT min(at) FROM (SELECT min(run_at) AS at FROM job WHERE ready = 0 AND status IN (1, 3) AND waits_for = 0
  UNION ALL SELECT min(next_at) FROM schedule WHERE next_at IS NOT NULL)
