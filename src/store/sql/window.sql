 FROM job
WHERE queue = ?1 AND name = ?2 AND priority = ?3 AND fair_key = ?4 AND seq > ?5 AND ready = 1 ORDER BY seq LIMIT ?6
