WHERE queue = ?1 ORDER BY id
