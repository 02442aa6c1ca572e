SELECT seq, last, left, gone FROM pack WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1
