INSERT INTO auton8n.queue (name, paused, limits) VALUES ($1, false, $2::text::jsonb)
ON CONFLICT (name) DO UPDATE SET limits = excluded.limits
