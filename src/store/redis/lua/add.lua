-- ARGV: whether it is sent again, and groups. One of plain jobs (ready, without a unique key, waiting for none) of one lane
-- is 'plain', queue, name, priority, fair key, how many, id and record of each; one of others is 'any', queue, how many,
-- and the jobs. Answers as `add_all` for each of these.
local answers, repeated, total = {}, ARGV[1] == '1', 0

-- Calls `plain` and `any` with what they need of each group.
local function each(plain, any)
  local at = 2
  while at <= #ARGV do
    local first, last
    if ARGV[at] == 'plain' then
      first = at + 6
      last = first + 2 * ARGV[at + 5] - 1
      plain(at, first, last)
    else
      first = at + 3
      last = first + WIDTH * ARGV[at + 2] - 1
      any(at, first, last)
    end
    at = last + 1
  end
end

local function new_ones(first, last)
  local jobs = {}
  for i = first, last, 2 do
    if redis.call('HEXISTS', JOBS, ARGV[i]) == 0 then
      local n = #jobs
      jobs[n + 1], jobs[n + 2] = ARGV[i], ARGV[i + 1]
    end
  end
  return jobs, 1, #jobs
end

local function add_plain(at, first, last)
  local queue, name, priority, key, jobs = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV
  if repeated then jobs, first, last = new_ones(first, last) end
  local of, pending = place_of(queue, name, priority, key), status_key(PENDING, queue)
  for from = first, last, 2 * CHUNK do
    local to, scored, n = math.min(from + 2 * CHUNK - 1, last), {}, 0
    for i = from, to, 2 do
      scored[n + 1], scored[n + 2] = next_seq(), jobs[i]
      n = n + 2
    end
    redis.call('HSET', JOBS, unpack(jobs, from, to))
    redis.call('ZADD', pending, unpack(scored))
    redis.call('ZADD', of.lane, unpack(scored))
  end
  if first <= last then redis.call('ZADD', of.level, 0, key) end
end

local function add_any(at, first, last) answers[#answers + 1] = add_all(ARGV[at + 1], first, last, repeated) end

each(function(at) total = total + ARGV[at + 5] end, function(at) total = total + ARGV[at + 2] end)
reserve(total)
each(add_plain, add_any)
settle()
return answers
