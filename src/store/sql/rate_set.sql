INSERT INTO rate VALUES (?1, ?2, ?3, ?4) ON CONFLICT (queue, key) DO UPDATE SET since = excluded.since, used = excluded.used
