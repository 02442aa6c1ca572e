DELETE FROM schedule WHERE queue = ?1 AND id = ?2
