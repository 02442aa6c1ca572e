 FROM job WHERE queue = ?1 AND seq < ?2 AND (?3 IS NULL OR name = ?3) AND ready = 0 AND status = +?5 ORDER BY seq DESC LIMIT ?4
