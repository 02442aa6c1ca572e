SELECT id FROM job WHERE seq = ?1 AND fence = ?2 AND ready = 1
