UPDATE job SET status = 4, result = ?3, progress = 100, finished_at = ?4, error_code = NULL, error_message = NULL
WHERE id = ?1 AND fence = ?2 AND status = 2 RETURNING seq, parent, queue
