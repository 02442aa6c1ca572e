INSERT INTO pack (seq, last, left, gone, queue, name, priority, first_id, last_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
