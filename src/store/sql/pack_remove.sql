DELETE FROM pack WHERE seq = ?1
