UPDATE job SET parent = 1 WHERE id = ?1 AND status < 4
