UPDATE job SET progress = coalesce(?3, progress), stage = coalesce(?4, stage), iteration = coalesce(?5, iteration),
  checkpoint = coalesce(?6, checkpoint)
WHERE id = ?1 AND fence = ?2 AND status = 2 RETURNING seq
