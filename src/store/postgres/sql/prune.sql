DELETE FROM auton8n.job WHERE seq IN (
  (SELECT seq FROM auton8n.job WHERE queue = $1 AND status = $2 ORDER BY seq DESC LIMIT 10000 OFFSET $3)
  UNION ALL
  (SELECT seq FROM (SELECT seq, finished_at FROM auton8n.job WHERE queue = $1 AND status = $2 ORDER BY seq LIMIT 1000)
    AS oldest WHERE finished_at < $4))
