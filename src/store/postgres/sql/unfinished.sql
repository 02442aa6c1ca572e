SELECT EXISTS (SELECT FROM auton8n.job WHERE queue = $1 AND status = 1)
    OR EXISTS (SELECT FROM auton8n.job WHERE queue = $1 AND status = 3)
    OR EXISTS (SELECT FROM auton8n.queue WHERE name = $1 AND limits IS NOT NULL
      AND EXISTS (SELECT FROM auton8n.job WHERE queue = $1 AND status = 0)),
  (SELECT min(rate.since + (rule ->> 'per')::bigint) FROM auton8n.queue
    JOIN auton8n.rate ON rate.queue = queue.name
    CROSS JOIN LATERAL (SELECT CASE rate.key WHEN '' THEN limits ELSE limits -> 'perKey' END -> 'rate' AS rule) AS of_key
    WHERE queue.name = $1 AND rate.used >= (rule ->> 'count')::bigint AND rate.since + (rule ->> 'per')::bigint > $2
      AND rate.since <= $2)
