SELECT EXISTS (SELECT 1 FROM job WHERE queue = ?1 AND ready = 0 AND status = 1)
    OR EXISTS (SELECT 1 FROM job WHERE queue = ?1 AND ready = 0 AND status = 3)
    OR EXISTS (SELECT 1 FROM job WHERE queue = ?1 AND ready = 1 AND status = 3)
