-- Before every script. KEYS[1] begins all keys; what lies where:
--   seq              the number of the job that was added last
--   jobs             hash: of each job what does not change, as `record.rs` writes it
--   held             hash: of a job that runs and has told nothing, what is to be known (see `packed.lua`); 'c' of one that
--                    is not over and has a hash of its own; nothing of one that waits for its first run
--   job:ID           hash: what may change of a job, and what scripts look at; only of those that were added with a time,
--                    a unique key or others to wait for, or of which something is to be kept
--   log:ID           list: the last lines of its log
--   status:N:QUEUE   sorted set: the jobs of a status by their seq; those that run by the end of their lease
--   running          set of the queues of which jobs may run
--   ready:LANE       sorted set: the jobs of a lane that workers may take, by their seq;
--                    a lane is a queue, a job name, a priority and a fair key
--   keys:LEVEL       sorted set: the fair keys of a queue, a job name and a priority that wait
--   due              sorted set: the jobs that wait for their time, by it
--   unique:QUEUE     hash: the live job of each unique key
--   turn:QUEUE       hash: the fair key that was served last, for each priority
--   children:ID      hash: the jobs that wait for this one, and whether they run when it failed
--   paused           set of queues
--   limits:QUEUE     JSON; busy:QUEUE hash: how many jobs of each fair key run; since:QUEUE sorted set and
--                    used:QUEUE hash: the windows of rates, of fair keys and (as '') of the queue
--   schedule:PLACE   hash; a place is a queue and a name; schedules:QUEUE sorted set of names;
--                    planned sorted set of places by when they are due
--   states:versions, states:values, states:times   hashes: what processes share
local P = KEYS[1] .. ':'
local PENDING, SCHEDULED, RUNNING, RETRYING = '0', '1', '2', '3'
local COMPLETED, FAILED, CANCELLED = '4', '5', '6'
-- Most values that one command gets.
local CHUNK = 1000

local JOBS, HELD = P .. 'jobs', P .. 'held'
local function job_key(id) return P .. 'job:' .. id end
local status_keys = {}
local function status_key(status, queue)
  local of = status_keys[queue]
  if not of then of = {} status_keys[queue] = of end
  if not of[status] then of[status] = P .. 'status:' .. status .. ':' .. queue end
  return of[status]
end
local function unique_key(queue) return P .. 'unique:' .. queue end
local function part(text) return #text .. ':' .. text end
local function level_key(queue, name, priority) return P .. 'keys:' .. part(queue) .. part(name) .. priority end
local function lane_key(queue, name, priority, key)
  return P .. 'ready:' .. part(queue) .. part(name) .. priority .. key
end

-- Many jobs of one call share a lane, so the last one is kept.
local place = {}
local function place_of(queue, name, priority, key)
  if place.key ~= key or place.name ~= name or place.priority ~= priority or place.queue ~= queue then
    place = {
      queue = queue, name = name, priority = priority, key = key,
      lane = lane_key(queue, name, priority, key), level = level_key(queue, name, priority),
    }
  end
  return place
end

local function in_chunks(command, key, list)
  for i = 1, #list, CHUNK do
    redis.call(command, key, unpack(list, i, math.min(i + CHUNK - 1, #list)))
  end
end

-- Changes of sorted sets, gathered and made by `flush`: all removals, then all additions.
local removals, additions, left, known, unlinked, busy = {}, {}, {}, {}, {}, {}
local forgotten, over = {}, {}

local function list_of(lists, set)
  if not lists[set] then lists[set] = {} end
  return lists[set]
end
local function removals_of(set) return list_of(removals, set) end
local function additions_of(set) return list_of(additions, set) end

local function remove(set, member)
  local list = removals_of(set)
  list[#list + 1] = member
end

local function add(set, score, member)
  local list = additions_of(set)
  local n = #list
  list[n + 1], list[n + 2] = score, member
end

-- So many more jobs of a fair key run.
local function runs(queue, key, more)
  if key == '' then return end
  local keys = busy[queue]
  if not keys then keys = {} busy[queue] = keys end
  keys[key] = (keys[key] or 0) + more
end

local function flush()
  for set, members in pairs(removals) do in_chunks('ZREM', set, members) end
  for set, members in pairs(additions) do in_chunks('ZADD', set, members) end
  for lane, of in pairs(left) do
    if redis.call('EXISTS', lane) == 0 then redis.call('ZREM', of.level, of.key) end
  end
  for i = 1, #unlinked, CHUNK do
    redis.call('UNLINK', unpack(unlinked, i, math.min(i + CHUNK - 1, #unlinked)))
  end
  in_chunks('HDEL', JOBS, forgotten)
  in_chunks('HDEL', HELD, over)
  for queue, keys in pairs(busy) do
    local count = P .. 'busy:' .. queue
    for key, more in pairs(keys) do
      if redis.call('HINCRBY', count, key, more) <= 0 then redis.call('HDEL', count, key) end
    end
  end
  removals, additions, left, known, unlinked, busy = {}, {}, {}, {}, {}, {}
  forgotten, over = {}, {}
end

-- A script that has written already may go on when the server's memory is full.
local function go_on_when_full() redis.call('UNLINK', P .. 'none') end

-- Workers may take the job.
local function ready(queue, name, priority, key, id, seq)
  local of = place_of(queue, name, priority, key)
  add(of.lane, seq, id)
  if not known[of.lane] then
    known[of.lane] = true
    add(of.level, 0, key)
  end
end

-- Workers may not take it any more.
local function not_ready(queue, name, priority, key, id)
  local of = place_of(queue, name, priority, key)
  remove(of.lane, id)
  left[of.lane] = of
end

-- Nothing of the job is kept.
local function forget(id)
  local n = #unlinked
  unlinked[n + 1], unlinked[n + 2] = job_key(id), P .. 'log:' .. id
  forgotten[#forgotten + 1] = id
end

-- The unique key of a job that is over is free.
local function release(queue, unique, id)
  if unique and redis.call('HGET', unique_key(queue), unique) == id then
    redis.call('HDEL', unique_key(queue), unique)
  end
end

local function whole(number) return string.format('%.0f', number) end

-- Lua compares strings as the locale says.
local function before(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end
