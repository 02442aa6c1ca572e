SELECT queue, id, cron, time_zone, missed, job, next_at, last_at FROM auton8n.schedule
