-- ARGV: queue. Answers how many jobs of each status there are, then when the one that waits longest was added.
local answer = {}
for status = 0, 6 do answer[status + 1] = redis.call('ZCARD', status_key(status, ARGV[1])) end
local oldest = redis.call('ZRANGE', status_key(PENDING, ARGV[1]), 0, 0)[1]
local record = oldest and redis.call('HGET', JOBS, oldest)
answer[8] = record and facts(record).created or false
return answer
