-- ARGV: queue, limit, now, end of the lease, token, how many more are read ahead where the queue has no limits, names.
-- Answers whether jobs of the queue wait for their time or are held back, when a rate makes room for them or '', and what
-- was taken.
local queue, room, now, lease_end, token = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local starts, names = room, { unpack(ARGV, 7) }
-- Each id, and the record of one that runs for the first time or the row of another one.
local taken = {}

-- The first fair keys that wait between two bounds, in the order of their bytes.
local function keys_between(priority, min, max, most)
  local found, seen = {}, {}
  for _, name in ipairs(names) do
    local level = level_key(queue, name, priority)
    for _, key in ipairs(redis.call('ZRANGEBYLEX', level, min, max, 'LIMIT', 0, most)) do
      if not seen[key] then
        seen[key] = true
        found[#found + 1] = key
      end
    end
  end
  if #names > 1 then table.sort(found, before) end
  for i = most + 1, #found do found[i] = nil end
  return found
end

-- The keys whose turn is next: those after the one that was served last, then from the first on.
local function turns(priority, last)
  if not last then return keys_between(priority, '-', '+', room) end
  local keys = keys_between(priority, '(' .. last, '+', room)
  if #keys < room then
    for _, key in ipairs(keys_between(priority, '-', '[' .. last, room - #keys)) do keys[#keys + 1] = key end
  end
  return keys
end

-- Jobs one after the other: their ids, their seqs, and the lane of each.
local function no_jobs() return { ids = {}, seqs = {}, lanes = {} } end
local function push(jobs, id, seq, lane)
  local n = #jobs.ids + 1
  jobs.ids[n], jobs.seqs[n], jobs.lanes[n] = id, seq, lane
end

-- The oldest jobs of a key, of all names together.
local function oldest(priority, key, most)
  local jobs, sorted, order = no_jobs(), no_jobs(), {}
  for _, name in ipairs(names) do
    local lane = place_of(queue, name, priority, key)
    local found = redis.call('ZRANGE', lane.lane, 0, most - 1, 'WITHSCORES')
    for i = 1, #found, 2 do push(jobs, found[i], found[i + 1], lane) end
  end
  if #names == 1 then return jobs end
  for i = 1, #jobs.ids do order[i] = i end
  table.sort(order, function(a, b) return tonumber(jobs.seqs[a]) < tonumber(jobs.seqs[b]) end)
  for i = 1, math.min(most, #order) do push(sorted, jobs.ids[order[i]], jobs.seqs[order[i]], jobs.lanes[order[i]]) end
  return sorted
end

-- What is held of those that run for the first time, by lane and whether they are read ahead.
local heads = {}
local function head_of(flag, key)
  if not heads[flag] then heads[flag] = {} end
  if not heads[flag][key] then heads[flag][key] = run_head(token, flag, now, queue, key) end
  return heads[flag][key]
end

local function take_again(id, flag)
  local hash = job_key(id)
  local status, attempts, fence = unpack(redis.call('HMGET', hash, 'status', 'attempts', 'fence'))
  local seen = tonumber(fence or 0)
  fence = tonumber(token) > seen and token or whole(seen + 1)
  redis.call('HSET', hash, 'status', RUNNING, 'attempts', (attempts or 0) + 1, 'fence', fence, 'startedAt', now)
  if flag == AHEAD then redis.call('HSET', hash, 'ahead', 1) end
  remove(status_key(status, queue), id)
  return rows({ id })[1]
end

-- Takes the jobs from `from` to `to`, at most CHUNK.
local function take_some(jobs, from, to)
  local states = redis.call('HMGET', HELD, unpack(jobs.ids, from, to))
  local records = redis.call('HMGET', JOBS, unpack(jobs.ids, from, to))
  local pending, running, runs_now = removals_of(status_key(PENDING, queue)), additions_of(status_key(RUNNING, queue)), {}
  local n, leased, of, waiting = #taken, #running, nil, nil
  for i = from, to do
    local id, record, lane = jobs.ids[i], records[i - from + 1], jobs.lanes[i]
    if lane ~= of then
      of, waiting, left[lane.lane] = lane, removals_of(lane.lane), lane
    end
    waiting[#waiting + 1] = id
    if record then
      local flag = n / 2 >= starts and AHEAD or BEGUN
      if states[i - from + 1] == COLD then
        record = take_again(id, flag)
      else
        local m = #runs_now
        runs_now[m + 1], runs_now[m + 2] = id, head_of(flag, lane.key) .. jobs.seqs[i]
        pending[#pending + 1] = id
      end
      taken[n + 1], taken[n + 2] = id, record
      running[leased + 1], running[leased + 2] = lease_end, id
      n, leased = n + 2, leased + 2
      runs(queue, lane.key, 1)
      room = room - 1
    else
      -- Of what is damaged nothing can be run.
      pending[#pending + 1] = id
    end
  end
  in_chunks('HSET', HELD, runs_now)
  flush()
end

local function take(jobs)
  for from = 1, #jobs.ids, CHUNK do take_some(jobs, from, math.min(from + CHUNK - 1, #jobs.ids)) end
end

local function serve(priority)
  local last = redis.call('HGET', P .. 'turn:' .. queue, priority)
  local served = last
  while room > 0 do
    local keys, had = turns(priority, last), room
    if #keys == 0 then break end
    if #keys == 1 then
      last = keys[1]
      take(oldest(priority, last, room))
    else
      local rounds, first, jobs = math.ceil(room / #keys), {}, no_jobs()
      for i, key in ipairs(keys) do first[i] = oldest(priority, key, rounds) end
      for round = 1, rounds do
        for i, key in ipairs(keys) do
          local of = first[i]
          if of.ids[round] and #jobs.ids < room then
            push(jobs, of.ids[round], of.seqs[round], of.lanes[round])
            last = key
          end
        end
      end
      take(jobs)
    end
    if room == had then break end
  end
  if last ~= served then redis.call('HSET', P .. 'turn:' .. queue, priority, last) end
end

-- The same for a queue that has limits: one job at a time, past the keys that are full. Answers whether there may be more.
local held = false
local function serve_limited(priority, gate)
  local last = redis.call('HGET', P .. 'turn:' .. queue, priority)
  local served, full_since, more = last, nil, true
  while true do
    local key = last and keys_between(priority, '(' .. last, '+', 1)[1] or keys_between(priority, '-', '+', 1)[1]
    if not key or full_since == key then break end
    held = held or not gate.is_open()
    more = room > 0 and gate.is_open()
    if not more then break end
    last = key
    local job = oldest(priority, key, 1)
    if #job.ids > 0 and gate.is_open_for(key) then
      full_since, served = nil, key
      take(job)
      gate.passed(key)
    else
      held, full_since = true, full_since or key
    end
  end
  if served then redis.call('HSET', P .. 'turn:' .. queue, priority, served) end
  return more
end

-- Else jobs could not make room where the memory is full.
go_on_when_full()
local next_at
if redis.call('SISMEMBER', P .. 'paused', queue) == 0 then
  local limits = redis.call('GET', P .. 'limits:' .. queue)
  if limits then
    local gate, priority = gate(queue, tonumber(now), cjson.decode(limits)), 0
    while priority <= 3 and serve_limited(priority, gate) do priority = priority + 1 end
    gate.keep()
    next_at = held and gate.next_at
  else
    room = room + tonumber(ARGV[6])
    for priority = 0, 3 do
      if room > 0 then serve(priority) end
    end
  end
end
if #taken > 0 then redis.call('SADD', P .. 'running', queue) end
local waiting = #taken == 0 and redis.call('EXISTS', status_key(SCHEDULED, queue), status_key(RETRYING, queue)) > 0
return { (held or waiting) and 1 or 0, next_at and whole(next_at) or '', taken }
