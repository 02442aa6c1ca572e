SELECT seq, id, queue, name, stalls FROM job WHERE status = 2 AND lease_until <= ?1 ORDER BY seq LIMIT 1000
