UPDATE auton8n.job SET progress = coalesce($3, progress), stage = coalesce($4, stage),
  iteration = coalesce($5, iteration), checkpoint = coalesce($6, checkpoint),
  log = CASE WHEN cardinality($7::text[]) = 0 THEN log
    ELSE (log || $7)[greatest(1, cardinality(log) + cardinality($7) - $8 + 1):] END
WHERE id = $1 AND fence = $2 AND status = 2
