INSERT INTO auton8n.schedule AS schedule (queue, id, cron, time_zone, missed, job, next_at, last_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (queue, id) DO UPDATE SET missed = excluded.missed, job = excluded.job,
  next_at = CASE WHEN schedule.cron = excluded.cron AND schedule.time_zone = excluded.time_zone
    THEN schedule.next_at ELSE excluded.next_at END,
  last_at = CASE WHEN schedule.cron = excluded.cron AND schedule.time_zone = excluded.time_zone
    THEN schedule.last_at ELSE excluded.last_at END,
  cron = excluded.cron, time_zone = excluded.time_zone
