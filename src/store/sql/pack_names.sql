SELECT queue, name, priority, coalesce((SELECT seq FROM packed WHERE seq > ?1 AND seq <= last ORDER BY seq LIMIT 1), last + 1) FROM pack
WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1
