SELECT created_at FROM job WHERE queue = ?1 AND status = 0 ORDER BY seq LIMIT 1
