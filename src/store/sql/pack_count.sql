SELECT coalesce(sum(left), 0), min(seq), min(last) FROM pack WHERE queue = ?1 AND left > 0
