SELECT priority FROM pack WHERE queue = ?1 AND name = ?2 AND priority > ?3 AND left <> 0 ORDER BY priority LIMIT 1
