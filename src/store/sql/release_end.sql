DELETE FROM dependency WHERE parent = ?1
