-- Jobs as they lie. Most are added, run and end without having told anything; of those nothing but their record, their
-- places in sets, and while they run one value are written.
local COLD = 'c'

-- What does not change of a job.
local function facts(record)
  local created, run_at, priority, queue, name, key, at =
    string.match(record, '^(%-?%d+) (%-?%d+) (%d) (%d+) (%d+) (%d+) %d+\n()')
  local to_name, to_key = at + queue, at + queue + name
  return {
    created = created, run_at = run_at, priority = priority, queue = string.sub(record, at, to_name - 1),
    name = string.sub(record, to_name, to_key - 1), key = string.sub(record, to_key, to_key + key - 1),
  }
end

-- What is held of a job that runs and has told nothing: this, and its seq. AHEAD: it was only read ahead.
local BEGUN, AHEAD = 'r', 'a'
local function run_head(fence, flag, started, queue, key)
  return fence .. flag .. started .. ' ' .. #queue .. ' ' .. #key .. ' ' .. queue .. key
end

-- Reads it; jobs that were claimed together share it, so the last one is kept.
local run = { head = '-' }
local function run_of(state)
  if string.sub(state, 1, #run.head) ~= run.head then
    local fence, flag, started, queue, key, at = string.match(state, '^(%d+)(%l)(%-?%d+) (%d+) (%d+) ()')
    local to_key, to_seq = at + queue, at + queue + key
    run = {
      fence = fence, flag = flag, started = started, queue = string.sub(state, at, to_key - 1),
      key = string.sub(state, to_key, to_seq - 1), head = string.sub(state, 1, to_seq - 1),
    }
  end
  return run
end

local function seq_of_run(state) return string.sub(state, #run_of(state).head + 1) end

-- The queue of a job that runs with this fence; `state` is what is held of it.
local function queue_of_run(id, state, fence)
  if not state then return false end
  if state ~= COLD then return run_of(state).fence == fence and run_of(state).queue end
  local job = redis.call('HMGET', job_key(id), 'status', 'fence', 'queue')
  return job[1] == RUNNING and job[2] == fence and job[3]
end

-- `state` is what is held of it, where that was looked at.
local function seq_of(id, state)
  if state == nil then state = redis.call('HGET', HELD, id) end
  if state and state ~= COLD then return seq_of_run(state) end
  local seq = redis.call('HGET', job_key(id), 'seq')
  if seq then return seq end
  local record = redis.call('HGET', JOBS, id)
  local score = record and redis.call('ZSCORE', status_key(PENDING, facts(record).queue), id)
  return score and whole(score)
end

-- What a hash of its own says of a job at first; `state` is what is held of it.
local function fields_of(id, state, record)
  local job = facts(record)
  local fields = {
    'queue', job.queue, 'name', job.name, 'priority', job.priority, 'fairKey', job.key, 'runAt', job.run_at,
    'seq', seq_of(id, state) or 0, 'status', state and RUNNING or PENDING,
  }
  if state then
    local of, n = run_of(state), #fields
    fields[n + 1], fields[n + 2], fields[n + 3], fields[n + 4] = 'attempts', 1, 'fence', of.fence
    fields[n + 5], fields[n + 6] = 'startedAt', of.started
    if of.flag == AHEAD then fields[n + 7], fields[n + 8] = 'ahead', 1 end
  end
  return fields
end

-- Gives a job that is not over a hash of its own, where it has none: something of it is to change.
local function thaw(id)
  local state = redis.call('HGET', HELD, id)
  if state == COLD then return end
  local record = redis.call('HGET', JOBS, id)
  if not record or not state and redis.call('EXISTS', job_key(id)) == 1 then return end
  redis.call('HSET', job_key(id), unpack(fields_of(id, state, record)))
  redis.call('HSET', HELD, id, COLD)
end

-- What a client reads of a job beside its record, in the order that it knows; id, record and log follow.
local FIELDS = {
  'status', 'attempts', 'stalls', 'fence', 'startedAt', 'progress', 'stage', 'iteration', 'checkpoint', 'result',
  'errorCode', 'errorMessage', 'runAt', 'finishedAt', 'waitsFor', 'doubtful',
}
local STATUS, ATTEMPTS, FENCE, STARTED = 1, 2, 4, 5

-- The rows of jobs.
local function rows(ids)
  local all = {}
  for from = 1, #ids, CHUNK do
    local to = math.min(from + CHUNK - 1, #ids)
    local records = redis.call('HMGET', JOBS, unpack(ids, from, to))
    local states = redis.call('HMGET', HELD, unpack(ids, from, to))
    for i, record in ipairs(records) do
      local id, state = ids[from + i - 1], states[i]
      local row, n = redis.call('HMGET', job_key(id), unpack(FIELDS)), #FIELDS
      if state and state ~= COLD then
        local of = run_of(state)
        row[STATUS], row[ATTEMPTS], row[FENCE], row[STARTED] = RUNNING, 1, of.fence, of.started
      elseif not row[STATUS] then
        row[STATUS] = PENDING
      end
      row[n + 1], row[n + 2] = id, record
      -- One that never ran has told nothing.
      row[n + 3] = row[ATTEMPTS] and redis.call('LRANGE', P .. 'log:' .. id, 0, -1) or {}
      all[#all + 1] = row
    end
  end
  return all
end
