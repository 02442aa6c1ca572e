-- ARGV: time by which the leases ended, now, stalls that are allowed, code of the failure. Answers queue, id, name and the
-- message of the failure or '' for each, and 1 where it ran, 0 where it was only read ahead.
local rescued = {}
go_on_when_full()

local function rescue(id)
  thaw(id)
  local key = job_key(id)
  local job = redis.call('HMGET', key, 'queue', 'name', 'priority', 'fairKey', 'seq', 'uniqueKey', 'stalls', 'fence',
    'status', 'parent', 'ahead', 'attempts')
  local queue, name, seq = job[1], job[2], job[5]
  if job[9] == RUNNING then
    local ran, stalls, message = not job[11], (job[7] or 0) + 1, ''
    if ran then
      redis.call('HSET', key, 'stalls', stalls, 'fence', whole(job[8] + 1))
    else
      -- It is not known to have started, and may have been what killed the worker: its next start is told before it happens.
      stalls = 0
      redis.call('HSET', key, 'attempts', job[12] - 1, 'doubtful', 1, 'fence', whole(job[8] + 1))
      redis.call('HDEL', key, 'ahead')
    end
    leave(queue, job[4], id)
    if stalls <= tonumber(ARGV[3]) then
      redis.call('HSET', key, 'status', PENDING)
      add(status_key(PENDING, queue), seq, id)
      ready(queue, name, job[3], job[4], id, seq)
    else
      message = 'its worker died ' .. stalls .. ' times while it ran'
      redis.call('HSET', key, 'status', FAILED, 'finishedAt', ARGV[2], 'errorCode', ARGV[4], 'errorMessage', message)
      over[#over + 1] = id
      add(status_key(FAILED, queue), seq, id)
      release(queue, job[6], id)
      if job[10] then let_go(id, FAILED, ARGV[2]) end
    end
    rescued[#rescued + 1] = { queue, id, name, message, ran and 1 or 0 }
  end
end

for _, queue in ipairs(redis.call('SMEMBERS', P .. 'running')) do
  local running = status_key(RUNNING, queue)
  local ended = redis.call('ZRANGEBYSCORE', running, '-inf', ARGV[1], 'LIMIT', 0, CHUNK)
  for _, id in ipairs(ended) do
    remove(running, id)
    rescue(id)
  end
  if #ended == 0 and redis.call('EXISTS', running) == 0 then redis.call('SREM', P .. 'running', queue) end
end
flush()
return rescued
