-- ARGV: whether it is sent again, then for each end id, fence, status, result or '', error code or '', error message, time,
-- attempts that do not count, whether the job is removed. Answers 0 where the lease was lost; else a sum of 1, of 2 where
-- others waited for the job and of 4 where its queue has limits, or that and the queue where others should know of it.
local WIDTH = 9
local again, answers = ARGV[1] == '1', {}
local HELD, RELEASED, MAKES_ROOM = 1, 2, 4
go_on_when_full()

-- What is removed goes at the end of the call, and must not end a second time in it.
local gone = {}
local limited = {}
local function has_limits(queue)
  if limited[queue] == nil then limited[queue] = redis.call('EXISTS', P .. 'limits:' .. queue) == 1 end
  return limited[queue]
end

local function was_stored(job, fence, status, removed)
  if not job[1] then return removed end
  return job[1] == status and job[2] == fence
end

local function finish(id, fence, status, result, code, message, at, uncounted, removed)
  local key = job_key(id)
  local job = redis.call('HMGET', key, 'status', 'fence', 'queue', 'name', 'priority', 'fairKey', 'seq', 'uniqueKey',
    'attempts', 'parent')
  if gone[id] then job = {} end
  local queue, seq = job[3], job[7]
  if job[1] ~= RUNNING or job[2] ~= fence then
    return again and was_stored(job, fence, status, removed == '1') and HELD + RELEASED or 0
  end
  leave(queue, job[6], id)
  local told = HELD + (has_limits(queue) and MAKES_ROOM or 0)
  if job[10] and status >= COMPLETED then
    told = told + RELEASED
    let_go(id, status, at)
  end
  if removed == '1' then
    release(queue, job[8], id)
    gone[id] = true
    forget(id)
    return told >= MAKES_ROOM and { told, queue } or told
  end
  add(status_key(status, queue), seq, id)
  redis.call('HDEL', key, 'ahead')
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
    return { told, queue }
  end
  return told >= MAKES_ROOM and { told, queue } or told
end

for i = 2, #ARGV, WIDTH do answers[#answers + 1] = finish(unpack(ARGV, i, i + WIDTH - 1)) end
flush()
return answers
