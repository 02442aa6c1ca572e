DELETE FROM auton8n.rate USING auton8n.queue WHERE rate.queue = $1 AND queue.name = $1 AND rate.since + greatest(
  (queue.limits -> 'rate' ->> 'per')::bigint, (queue.limits -> 'perKey' -> 'rate' ->> 'per')::bigint, 0) < $2
