SELECT seq, last FROM pack WHERE first_id BETWEEN ?2 AND ?1 AND last_id >= ?1 AND left <> 0
