UPDATE job SET status = 5, stalls = stalls + 1, fence = fence + 1, finished_at = ?2, error_code = ?3, error_message = ?4
WHERE seq = ?1
