SELECT paused FROM queue WHERE name = ?1
