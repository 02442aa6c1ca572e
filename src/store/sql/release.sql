UPDATE job SET waits_for = waits_for - 1
WHERE status = 1 AND waits_for > 0 AND seq IN (SELECT child FROM dependency WHERE parent = ?1)
