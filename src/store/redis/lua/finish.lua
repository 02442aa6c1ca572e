-- ARGV: whether it is sent again, then for each end id, fence, status, result or '', error code or '', error message, time,
-- attempts that do not count, whether the job is removed. Answers 0 where the lease was lost, else 1 or the queue in which the
-- job waits again, for each.
local WIDTH = 9
local again, answers = ARGV[1] == '1', {}
-- A script that has written already may go on when the server's memory is full.
redis.call('UNLINK', P .. 'none')

local function was_stored(job, fence, status, removed)
  if not job[1] then return removed end
  return job[1] == status and job[2] == fence
end

local function finish(id, fence, status, result, code, message, at, uncounted, removed)
  local key = job_key(id)
  local job = redis.call('HMGET', key, 'status', 'fence', 'queue', 'name', 'priority', 'fairKey', 'seq', 'uniqueKey',
    'attempts')
  local queue, seq = job[3], job[7]
  if job[1] ~= RUNNING or job[2] ~= fence then
    return again and was_stored(job, fence, status, removed == '1') and 1 or 0
  end
  remove(P .. 'leases', id)
  remove(status_key(RUNNING, queue), id)
  if removed == '1' then
    release(queue, job[8], id)
    -- At once, so that it does not end a second time in this call.
    redis.call('HDEL', key, 'status')
    forget(id)
    return 1
  end
  add(status_key(status, queue), seq, id)
  if status == COMPLETED then
    redis.call('HSET', key, 'status', status, 'finishedAt', at, 'result', result, 'progress', 100)
    redis.call('HDEL', key, 'errorCode', 'errorMessage')
    release(queue, job[8], id)
  elseif status == FAILED then
    redis.call('HSET', key, 'status', status, 'finishedAt', at, 'errorCode', code, 'errorMessage', message)
    if result ~= '' then redis.call('HSET', key, 'result', result) else redis.call('HDEL', key, 'result') end
    release(queue, job[8], id)
  elseif status == RETRYING then
    redis.call('HSET', key, 'status', status, 'runAt', at, 'errorCode', code, 'errorMessage', message,
      'attempts', job[9] - uncounted)
    add(P .. 'due', at, id)
  else
    redis.call('HSET', key, 'status', status, 'attempts', job[9] - uncounted)
    ready(queue, job[4], job[5], job[6], id, seq)
    return queue
  end
  return 1
end

for i = 2, #ARGV, WIDTH do answers[#answers + 1] = finish(unpack(ARGV, i, i + WIDTH - 1)) end
flush()
return answers
