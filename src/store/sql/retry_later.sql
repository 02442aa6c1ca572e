UPDATE job SET status = 3, ready = 0, run_at = ?3, error_code = ?4, error_message = ?5, attempts = attempts - ?6
WHERE id = ?1 AND fence = ?2 AND status = 2 RETURNING seq, 0, queue
