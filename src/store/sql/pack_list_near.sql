SELECT seq, last FROM (SELECT * FROM pack WHERE seq < ?2 ORDER BY seq DESC LIMIT 64)
WHERE queue = ?1 AND (?3 IS NULL OR name = ?3) AND left <> 0 ORDER BY seq DESC LIMIT 1
