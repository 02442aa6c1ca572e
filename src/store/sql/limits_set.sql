INSERT INTO queue (name, paused, limits) VALUES (?1, 0, ?2) ON CONFLICT (name) DO UPDATE SET limits = excluded.limits
