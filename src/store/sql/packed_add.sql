INSERT INTO packed (seq, jobs) VALUES (?1, ?2)
