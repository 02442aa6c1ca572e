UPDATE auton8n.job SET status = 0, ready = true, run_at = $3, finished_at = NULL, started_at = NULL, attempts = 0,
  stalls = 0, ahead = false, doubtful = false, progress = 0, error_code = NULL, error_message = NULL, result = NULL, waits_for = 0
WHERE queue = $1 AND id = $2 AND status IN (1, 3, 5, 6) RETURNING 
