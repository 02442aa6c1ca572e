-- Leases of format 1, which lay together.
local leases = redis.call('ZRANGE', P .. 'leases', 0, -1, 'WITHSCORES')
for i = 1, #leases, 2 do
  local queue, status = unpack(redis.call('HMGET', job_key(leases[i]), 'queue', 'status'))
  if status == RUNNING then
    add(status_key(RUNNING, queue), leases[i + 1], leases[i])
    redis.call('SADD', P .. 'running', queue)
  end
end
redis.call('UNLINK', P .. 'leases')
flush()
return 1
