SELECT fair_key FROM job
WHERE queue = ?1 AND name = ?2 AND priority = ?3 AND fair_key > ?4 AND ready = 1 ORDER BY fair_key LIMIT 1
