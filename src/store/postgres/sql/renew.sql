UPDATE auton8n.job SET lease_until = $3 WHERE seq IN (
  SELECT seq FROM auton8n.job JOIN unnest($1::text[], $2::bigint[]) AS held (id, fence)
    ON job.id = held.id AND job.fence = held.fence
  WHERE status = 2 ORDER BY seq FOR UPDATE OF job SKIP LOCKED)
