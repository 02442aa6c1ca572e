UPDATE job SET status = 0, ready = 1, attempts = attempts - 1 WHERE id = ?1 AND fence = ?2 AND status = 2 RETURNING seq, 0, queue
