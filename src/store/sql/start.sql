UPDATE job SET status = 2, ready = 0, attempts = attempts + 1, fence = ?2, lease_until = ?3, started_at = ?4 WHERE seq = ?1
