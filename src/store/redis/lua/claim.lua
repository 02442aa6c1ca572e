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

-- The oldest jobs of a key, of all names together.
local function oldest(priority, key, most)
  local jobs = {}
  for _, name in ipairs(names) do
    local found = redis.call('ZRANGE', lane_key(queue, name, priority, key), 0, most - 1, 'WITHSCORES')
    for i = 1, #found, 2 do jobs[#jobs + 1] = { id = found[i], seq = found[i + 1], name = name, key = key } end
  end
  if #names > 1 then table.sort(jobs, function(a, b) return tonumber(a.seq) < tonumber(b.seq) end) end
  return jobs
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

-- Jobs that come next, in their order; at most CHUNK.
local function take(priority, jobs)
  local ids, runs_now, pending, running = {}, {}, status_key(PENDING, queue), status_key(RUNNING, queue)
  for i, job in ipairs(jobs) do ids[i] = job.id end
  local states, records = redis.call('HMGET', HELD, unpack(ids)), redis.call('HMGET', JOBS, unpack(ids))
  for i, job in ipairs(jobs) do
    local id, record, n = job.id, records[i], #taken
    not_ready(queue, job.name, priority, job.key, id)
    if record then
      local flag = n / 2 >= starts and AHEAD or BEGUN
      taken[n + 1] = id
      if states[i] == COLD then
        taken[n + 2] = take_again(id, flag)
      else
        taken[n + 2] = record
        local m = #runs_now
        runs_now[m + 1], runs_now[m + 2] = id, head_of(flag, job.key) .. job.seq
        remove(pending, id)
      end
      add(running, job.seq, id)
      add(LEASES, lease_end, id)
      runs(queue, job.key, 1)
      room = room - 1
    end
  end
  in_chunks('HSET', HELD, runs_now)
  flush()
end

local function serve(priority)
  local last = redis.call('HGET', P .. 'turn:' .. queue, priority)
  local served = last
  while room > 0 do
    local keys, had = turns(priority, last), room
    if #keys == 0 then break end
    local rounds, first, next_ones = math.ceil(room / #keys), {}, {}
    for i, key in ipairs(keys) do first[i] = oldest(priority, key, rounds) end
    for round = 1, rounds do
      for i, key in ipairs(keys) do
        local job = first[i][round]
        if job and #next_ones < room then
          next_ones[#next_ones + 1] = job
          last = key
        end
      end
    end
    for from = 1, #next_ones, CHUNK do
      take(priority, { unpack(next_ones, from, math.min(from + CHUNK - 1, #next_ones)) })
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
    local job = oldest(priority, key, 1)[1]
    if job and gate.is_open_for(key) then
      full_since, served = nil, key
      take(priority, { job })
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
local waiting = #taken == 0 and redis.call('EXISTS', status_key(SCHEDULED, queue), status_key(RETRYING, queue)) > 0
return { (held or waiting) and 1 or 0, next_at and whole(next_at) or '', taken }
