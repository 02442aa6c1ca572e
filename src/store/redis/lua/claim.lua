-- ARGV: queue, limit, now, end of the lease, token, how many more are read ahead where the queue has no limits, names. Answers whether jobs of the queue wait for their time or are held
-- back, when a rate makes room for them or '', and rows.
local queue, room, now, lease_end, token = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local starts, names = room, { unpack(ARGV, 7) }
local rows = {}

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
    for i = 1, #found, 2 do jobs[#jobs + 1] = { id = found[i], seq = tonumber(found[i + 1]), name = name } end
  end
  if #names > 1 then table.sort(jobs, function(a, b) return a.seq < b.seq end) end
  return jobs
end

-- A job that never ran has told nothing, so little is read of it: its fence, createdAt, runAt, id and body.
local BODY = 5
local fresh = {}

local function take(job, priority, key)
  local id, hash = job.id, job_key(job.id)
  not_ready(queue, job.name, priority, key, id)
  local status, attempts, fence, created, run_at =
    unpack(redis.call('HMGET', hash, 'status', 'attempts', 'fence', 'createdAt', 'runAt'))
  if not status then return end
  local seen = tonumber(fence or 0)
  fence = tonumber(token) > seen and token or whole(seen + 1)
  local n = #rows + 1
  if n > starts then
    redis.call('HSET', hash, 'status', RUNNING, 'attempts', (attempts or 0) + 1, 'fence', fence, 'startedAt', now, 'ahead', 1)
  else
    redis.call('HSET', hash, 'status', RUNNING, 'attempts', (attempts or 0) + 1, 'fence', fence, 'startedAt', now)
  end
  if attempts then
    rows[n] = with_bodies({ fields(id) }, { id })[1]
  else
    rows[n] = { fence, created, run_at, id }
    fresh[#fresh + 1] = rows[n]
  end
  remove(status_key(status, queue), id)
  add(status_key(RUNNING, queue), job.seq, id)
  add(P .. 'leases', lease_end, id)
  runs(queue, key, 1)
  room = room - 1
end

local function read_bodies()
  for from = 1, #fresh, CHUNK do
    local keys = {}
    for i = from, math.min(from + CHUNK - 1, #fresh) do keys[#keys + 1] = P .. 'body:' .. fresh[i][4] end
    for i, body in ipairs(redis.call('MGET', unpack(keys))) do fresh[from + i - 1][BODY] = body end
  end
end

local function serve(priority)
  local last = redis.call('HGET', P .. 'turn:' .. queue, priority)
  local served = last
  while room > 0 do
    local keys, had = turns(priority, last), room
    if #keys == 0 then break end
    local rounds, heads = math.ceil(room / #keys), {}
    for i, key in ipairs(keys) do heads[i] = oldest(priority, key, rounds) end
    for round = 1, rounds do
      for i, key in ipairs(keys) do
        local job = heads[i][round]
        if job and room > 0 then
          take(job, priority, key)
          last = key
        end
      end
    end
    flush()
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
      take(job, priority, key)
      flush()
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
local waiting = #rows == 0 and redis.call('EXISTS', status_key(SCHEDULED, queue), status_key(RETRYING, queue)) > 0
read_bodies()
return { (held or waiting) and 1 or 0, next_at and whole(next_at) or '', rows }
