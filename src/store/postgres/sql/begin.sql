UPDATE auton8n.job SET ahead = false, started_at = $3 WHERE seq IN (
  SELECT seq FROM auton8n.job JOIN unnest($1::text[], $2::bigint[]) AS held (id, fence)
    ON job.id = held.id AND job.fence = held.fence
  WHERE status = 2 ORDER BY seq FOR UPDATE OF job)
