-- ARGV: now, then id and fence of each lease. Those that are held are not ahead any more: they run.
go_on_when_full()
for i = 2, #ARGV, 2 do
  local key = job_key(ARGV[i])
  local job = redis.call('HMGET', key, 'status', 'fence')
  if job[1] == RUNNING and job[2] == ARGV[i + 1] then
    redis.call('HDEL', key, 'ahead')
    redis.call('HSET', key, 'startedAt', ARGV[1])
  end
end
return 1
