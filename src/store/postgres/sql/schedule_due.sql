WHERE next_at <= $1 ORDER BY next_at LIMIT 1000
