UPDATE pack SET left = ?2, gone = ?3 WHERE seq = ?1
