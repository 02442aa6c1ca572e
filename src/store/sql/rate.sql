SELECT since, used FROM rate WHERE queue = ?1 AND key = ?2
