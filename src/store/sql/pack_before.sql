SELECT seq, last FROM pack WHERE first_id < ?1 ORDER BY first_id DESC LIMIT 1
