seq, id, queue, name, data, options, status, attempts, progress, stage, iteration, checkpoint, result,
error_code, error_message, created_at, run_at, started_at, finished_at, fence, stalls, waits_for, log, ahead, doubtful
