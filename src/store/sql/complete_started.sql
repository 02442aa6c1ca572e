UPDATE job SET status = 4, ready = 0, attempts = attempts + 1, fence = ?2, started_at = ?3, result = ?4, finished_at = ?5, progress = 100,
  error_code = NULL, error_message = NULL
WHERE seq = ?1
