SELECT limits FROM queue WHERE name = ?1
