DELETE FROM rate WHERE queue = ?1 AND since <= ?2
