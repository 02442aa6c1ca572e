SELECT seq, last FROM pack NOT INDEXED
WHERE queue = ?1 AND seq < ?2 AND (?3 IS NULL OR name = ?3) AND left <> 0 AND EXISTS (SELECT 1 FROM pack WHERE queue = ?1)
ORDER BY seq DESC LIMIT 1
