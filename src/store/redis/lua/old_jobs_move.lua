-- ARGV: id and record of each job of format 1 that becomes one of format 2.
for i = 1, #ARGV, 2 do
  local id = ARGV[i]
  local status = redis.call('HGET', job_key(id), 'status')
  if status and redis.call('UNLINK', P .. 'body:' .. id) == 1 then
    redis.call('HSET', JOBS, id, ARGV[i + 1])
    if status < COMPLETED then redis.call('HSET', HELD, id, COLD) end
    redis.call('HDEL', job_key(id), 'createdAt')
  end
end
return 1
