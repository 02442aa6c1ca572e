DELETE FROM packed
WHERE seq BETWEEN ?1 AND min(?2, coalesce((SELECT seq FROM pack WHERE seq > ?1 ORDER BY seq LIMIT 1) - 1, ?2))
