UPDATE job SET status = 5, finished_at = ?1
WHERE seq IN (SELECT seq FROM job WHERE ready = 0 AND status IN (1, 3) AND waits_for = 0 AND run_at <= ?1
    AND status = 1 AND error_code IS NOT NULL ORDER BY run_at LIMIT ?2)
RETURNING seq, id, queue, name, error_code, error_message
