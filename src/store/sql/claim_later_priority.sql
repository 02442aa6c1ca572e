SELECT priority FROM job WHERE queue = ?1 AND name = ?2 AND priority > ?3 AND ready = 1 ORDER BY priority LIMIT 1
