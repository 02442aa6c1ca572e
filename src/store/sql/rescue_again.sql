UPDATE job SET status = 0, ready = 1, stalls = stalls + 1, fence = fence + 1 WHERE seq = ?1
