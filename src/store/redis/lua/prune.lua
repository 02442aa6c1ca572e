-- ARGV: queue, status, how many are kept, time before which none are. Answers how many were deleted, and whether more are
-- to be.
local set = status_key(ARGV[2], ARGV[1])
local surplus, deleted = redis.call('ZCARD', set) - tonumber(ARGV[3]), 0
for i, id in ipairs(redis.call('ZRANGE', set, 0, CHUNK - 1)) do
  if i <= surplus or tonumber(redis.call('HGET', job_key(id), 'finishedAt') or 0) < tonumber(ARGV[4]) then
    deleted = deleted + 1
    remove(set, id)
    forget(id)
  end
end
flush()
return { deleted, surplus > CHUNK and 1 or 0 }
