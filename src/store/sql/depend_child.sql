INSERT OR IGNORE INTO dependency (parent, child, runs) SELECT seq, ?2, ?3 FROM job WHERE id = ?1 AND status < 4
