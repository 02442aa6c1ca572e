WITH RECURSIVE line (name, priority) AS (
  SELECT name, priority FROM (
    SELECT name, priority FROM pack WHERE queue = ?1 AND name >= coalesce(?3, '') ORDER BY name, priority LIMIT 1)
  UNION ALL
  SELECT next.name, next.priority FROM line, pack AS next
  WHERE next.seq = coalesce(
    (SELECT seq FROM pack WHERE queue = ?1 AND name = line.name AND priority > line.priority ORDER BY priority LIMIT 1),
    (SELECT seq FROM pack WHERE queue = ?1 AND name > line.name ORDER BY name, priority LIMIT 1))
  AND (?3 IS NULL OR next.name = ?3)
)
SELECT seq, last FROM pack WHERE seq = (
  SELECT max((
    SELECT seq FROM pack WHERE queue = ?1 AND name = line.name AND priority = line.priority AND seq < ?2 AND left <> 0
    ORDER BY seq DESC LIMIT 1))
  FROM line WHERE ?3 IS NULL OR name = ?3)
