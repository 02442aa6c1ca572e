UPDATE job SET status = 5, result = ?3, finished_at = ?4, error_code = ?5, error_message = ?6
WHERE id = ?1 AND fence = ?2 AND status = 2 RETURNING seq, parent, queue
