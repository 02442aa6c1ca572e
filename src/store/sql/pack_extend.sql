UPDATE pack SET last = ?2, left = ?3, gone = ?4, last_id = ?5 WHERE seq = ?1
