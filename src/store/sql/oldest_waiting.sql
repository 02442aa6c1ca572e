SELECT created_at FROM job WHERE seq = ?1
