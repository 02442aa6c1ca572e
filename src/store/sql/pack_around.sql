SELECT seq, min(last, coalesce((SELECT next.seq FROM pack AS next WHERE next.seq > pack.seq ORDER BY next.seq LIMIT 1) - 1, last)), left, gone
FROM pack WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1
