 FROM job NOT INDEXED WHERE queue = ?1 AND seq < ?2 AND (?3 IS NULL OR name = ?3) AND seq >= ?5 AND status = 0
ORDER BY seq DESC LIMIT ?4
