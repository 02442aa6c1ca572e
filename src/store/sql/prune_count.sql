DELETE FROM job WHERE seq IN (
  SELECT seq FROM job WHERE queue = ?1 AND ready = 0 AND status = +?2 ORDER BY seq
  LIMIT max(0, (SELECT count(*) FROM job WHERE queue = ?1 AND ready = 0 AND status = +?2) - ?3))
