SELECT id FROM job WHERE queue = ?1 AND unique_key = ?2 AND unique_key IS NOT NULL AND status < 4
