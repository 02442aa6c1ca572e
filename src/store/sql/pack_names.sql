SELECT queue, name, priority FROM pack WHERE seq = ?1
