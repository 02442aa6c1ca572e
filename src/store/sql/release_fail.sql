UPDATE job SET error_code = ?2, error_message = ?3, waits_for = 0, run_at = min(run_at, ?4)
WHERE status = 1 AND waits_for > 0 AND seq IN (SELECT child FROM dependency WHERE parent = ?1 AND runs = 0)
