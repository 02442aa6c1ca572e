 FROM job WHERE seq IN (SELECT seq FROM job WHERE queue = ?1 AND ready = 0 AND status = 3 AND seq < ?2
    UNION ALL SELECT seq FROM job WHERE queue = ?1 AND ready = 1 AND status = 3 AND seq < ?2)
  AND (?3 IS NULL OR name = ?3) ORDER BY seq DESC LIMIT ?4
