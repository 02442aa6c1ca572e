-- ARGV: queue, status, time by which they ended, seq after which it begins. Answers how many were deleted, and the seq
-- after which to go on or ''.
local set = status_key(ARGV[2], ARGV[1])
local found = redis.call('ZRANGEBYSCORE', set, '(' .. ARGV[4], '+inf', 'WITHSCORES', 'LIMIT', 0, CHUNK)
local deleted = 0
for i = 1, #found, 2 do
  if tonumber(redis.call('HGET', job_key(found[i]), 'finishedAt') or 0) <= tonumber(ARGV[3]) then
    deleted = deleted + 1
    remove(set, found[i])
    forget(found[i])
  end
end
flush()
return { deleted, #found == 2 * CHUNK and found[#found] or '' }
