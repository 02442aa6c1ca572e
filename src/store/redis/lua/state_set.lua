-- ARGV: key, version of the value that is replaced (0 where there is none), value, time. Answers 1 where it was replaced.
local key, version = ARGV[1], tonumber(ARGV[2])
if tonumber(redis.call('HGET', P .. 'states:versions', key) or 0) ~= version then return 0 end
redis.call('HSET', P .. 'states:versions', key, string.format('%d', version + 1))
redis.call('HSET', P .. 'states:values', key, ARGV[3])
redis.call('HSET', P .. 'states:times', key, ARGV[4])
return 1
