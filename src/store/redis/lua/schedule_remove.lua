-- ARGV: queue, name. Answers whether there was one.
redis.call('ZREM', P .. 'planned', part(ARGV[1]) .. ARGV[2])
redis.call('ZREM', P .. 'schedules:' .. ARGV[1], ARGV[2])
return redis.call('UNLINK', schedule_key(ARGV[1], ARGV[2]))
