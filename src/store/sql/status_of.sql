SELECT status FROM job WHERE queue = ?1 AND id = ?2
