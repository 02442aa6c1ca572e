SELECT seq, last FROM pack WHERE queue = ?1 AND name = ?2 AND priority = ?3 AND seq > ?4 AND last > ?5 AND left <> 0 ORDER BY seq LIMIT ?6
