-- ARGV: whether it is sent again, how many completed and leave nothing, id and fence of each of those, then for each other
-- end id, fence, status, result or '', error code or '', error message, time, attempts that do not count, whether the job
-- is removed. Answers for all: 0 where the lease was lost; else a sum of 1, of 2 where others waited for the job and of 4
-- where its queue has limits, or that and the queue where others should know of it. Nothing where each would be 1.
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

-- Keeps one that has told nothing before.
local function keep_first(id, state, status, result, code, message, at)
  local fields, of = fields_of(id, state, redis.call('HGET', JOBS, id)), run_of(state)
  local function set(field, value)
    local n = #fields
    fields[n + 1], fields[n + 2] = field, value
  end
  set('status', status)
  set('finishedAt', at)
  if status == COMPLETED then set('progress', 100) end
  if status == FAILED then
    set('errorCode', code)
    set('errorMessage', message)
  end
  if result ~= '' then set('result', result) end
  redis.call('HSET', job_key(id), unpack(fields))
  leave(of.queue, of.key, id)
  over[#over + 1], gone[id] = id, true
  add(status_key(status, of.queue), seq_of(id, state), id)
  return has_limits(of.queue) and { HELD_STILL + MAKES_ROOM, of.queue } or HELD_STILL
end

local function finish(id, fence, status, result, code, message, at, uncounted, removed)
  local key, state = job_key(id), redis.call('HGET', HELD, id)
  if gone[id] or not queue_of_run(id, state, fence) then
    return again and was_stored(id, fence, status, removed == '1') and HELD_STILL + RELEASED or 0
  end
  if state ~= COLD and (status == COMPLETED or status == FAILED) and removed ~= '1' then
    return keep_first(id, state, status, result, code, message, at)
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

local alike = true
local function tell(answer)
  answers[#answers + 1] = answer
  alike = alike and answer == HELD_STILL
end

-- Those that completed and leave nothing, which most do that have told nothing.
local function finish_plain(from, to)
  local ids, ended, of, running, told = {}, {}, nil, nil, nil
  for i = from, to, 2 do ids[#ids + 1] = ARGV[i] end
  local states = redis.call('HMGET', HELD, unpack(ids))
  for n, id in ipairs(ids) do
    local state, fence = states[n], ARGV[from + 2 * n - 1]
    local is_plain = state and state ~= COLD and not gone[id]
    if is_plain and run_of(state) ~= of then
      -- What those share that were claimed together is looked at once.
      of = run_of(state)
      running = removals_of(status_key(RUNNING, of.queue))
      told = has_limits(of.queue) and { HELD_STILL + MAKES_ROOM, of.queue } or HELD_STILL
    end
    if is_plain and of.fence == fence then
      running[#running + 1], ended[#ended + 1], gone[id] = id, id, true
      runs(of.queue, of.key, -1)
      tell(told)
    else
      tell(finish(id, fence, COMPLETED, '', '', '', '0', 0, '1'))
    end
  end
  in_chunks('HDEL', HELD, ended)
  in_chunks('HDEL', JOBS, ended)
end

local plain_end = 2 + 2 * ARGV[2]
for i = 3, plain_end, 2 * CHUNK do finish_plain(i, math.min(i + 2 * CHUNK - 1, plain_end)) end
for i = plain_end + 1, #ARGV, WIDTH do tell(finish(unpack(ARGV, i, i + WIDTH - 1))) end
flush()
return alike and {} or answers
