SELECT 1 FROM pack WHERE queue = ?1 AND name = ?2 AND priority = ?3 AND left <> 0 LIMIT 1
