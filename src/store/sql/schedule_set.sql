INSERT INTO schedule (queue, id, cron, time_zone, missed, job, next_at, last_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (queue, id) DO UPDATE SET missed = excluded.missed, job = excluded.job,
  next_at = CASE WHEN cron = excluded.cron AND time_zone = excluded.time_zone THEN next_at ELSE excluded.next_at END,
  last_at = CASE WHEN cron = excluded.cron AND time_zone = excluded.time_zone THEN last_at ELSE excluded.last_at END,
  cron = excluded.cron, time_zone = excluded.time_zone
