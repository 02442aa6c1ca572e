-- ARGV: whether it is sent again, how many completed and leave nothing, id and fence of each of those, then for each other
-- end id, fence, status, result or '', error code or '', error message, time, attempts that do not count, whether the job
-- is removed. Answers for all: 0 where the lease was lost; else a sum of 1, of 2 where others waited for the job and of 4
-- where its queue has limits, or that and the queue where others should know of it.
local WIDTH = 9
local again, answers = ARGV[1] == '1', {}
local HELD_STILL, RELEASED, MAKES_ROOM = 1, 2, 4
go_on_when_full()

-- What is removed goes at the end of the call, and must not end a second time in it.
local gone = {}
local limited = {}
local function has_limits(queue)
  if limited[queue] == nil then limited[queue] = redis.call('EXISTS', P .. 'limits:' .. queue) == 1 end
  return limited[queue]
end

local function was_stored(id, fence, status, removed)
  if removed then return redis.call('HEXISTS', JOBS, id) == 0 end
  local job = redis.call('HMGET', job_key(id), 'status', 'fence')
  return job[1] == status and job[2] == fence
end

local function finish(id, fence, status, result, code, message, at, uncounted, removed)
  local key = job_key(id)
  if gone[id] or not is_held(id, redis.call('HGET', HELD, id), fence) then
    return again and was_stored(id, fence, status, removed == '1') and HELD_STILL + RELEASED or 0
  end
  thaw(id)
  local queue, name, priority, fair_key, seq, unique, attempts, parent =
    unpack(redis.call('HMGET', key, 'queue', 'name', 'priority', 'fairKey', 'seq', 'uniqueKey', 'attempts', 'parent'))
  if status >= COMPLETED then over[#over + 1] = id end
  leave(queue, fair_key, id)
  local told = HELD_STILL + (has_limits(queue) and MAKES_ROOM or 0)
  if parent and status >= COMPLETED then
    told = told + RELEASED
    let_go(id, status, at)
  end
  if removed == '1' then
    release(queue, unique, id)
    gone[id] = true
    forget(id)
    return told >= MAKES_ROOM and { told, queue } or told
  end
  add(status_key(status, queue), seq, id)
  redis.call('HDEL', key, 'ahead')
  if status == COMPLETED then
    redis.call('HSET', key, 'status', status, 'finishedAt', at, 'result', result, 'progress', 100)
    redis.call('HDEL', key, 'errorCode', 'errorMessage')
    release(queue, unique, id)
  elseif status == FAILED then
    redis.call('HSET', key, 'status', status, 'finishedAt', at, 'errorCode', code, 'errorMessage', message)
    if result ~= '' then redis.call('HSET', key, 'result', result) else redis.call('HDEL', key, 'result') end
    release(queue, unique, id)
  elseif status == RETRYING then
    redis.call('HSET', key, 'status', status, 'runAt', at, 'errorCode', code, 'errorMessage', message,
      'attempts', attempts - uncounted)
    add(P .. 'due', at, id)
  else
    redis.call('HSET', key, 'status', status, 'attempts', attempts - uncounted)
    ready(queue, name, priority, fair_key, id, seq)
    return { told, queue }
  end
  return told >= MAKES_ROOM and { told, queue } or told
end

-- Those that completed and leave nothing, which most do that have told nothing.
local function finish_plain(from, to)
  local ids = {}
  for i = from, to, 2 do ids[#ids + 1] = ARGV[i] end
  for n, state in ipairs(redis.call('HMGET', HELD, unpack(ids))) do
    local id, fence = ids[n], ARGV[from + 2 * n - 1]
    local of = state and state ~= COLD and not gone[id] and run_of(state)
    if of and of.fence == fence then
      leave(of.queue, of.key, id)
      gone[id] = true
      over[#over + 1], forgotten[#forgotten + 1] = id, id
      answers[#answers + 1] = has_limits(of.queue) and { HELD_STILL + MAKES_ROOM, of.queue } or HELD_STILL
    else
      answers[#answers + 1] = finish(id, fence, COMPLETED, '', '', '', '0', 0, '1')
    end
  end
end

local plain_end = 2 + 2 * ARGV[2]
for i = 3, plain_end, 2 * CHUNK do finish_plain(i, math.min(i + 2 * CHUNK - 1, plain_end)) end
for i = plain_end + 1, #ARGV, WIDTH do answers[#answers + 1] = finish(unpack(ARGV, i, i + WIDTH - 1)) end
flush()
return answers
