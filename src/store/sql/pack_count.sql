SELECT coalesce(sum(min(left, 256)), 0), min(seq) FROM pack WHERE queue = ?1 AND left <> 0
