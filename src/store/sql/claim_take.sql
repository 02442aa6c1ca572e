UPDATE job SET status = 2, ready = 0, attempts = attempts + 1, fence = fence + 1, lease_until = ?2, started_at = ?3
WHERE seq = ?1 AND ready = 1 RETURNING 
