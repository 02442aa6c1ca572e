-- ARGV: for each add its queue and how many jobs, and for each job id, body, name, priority, fair key, unique key or '',
-- status, createdAt, runAt. Answers for each add '' or the live job that has the unique key of one of its jobs.
local WIDTH = 9
local answers, bodies, at, total = {}, {}, 1, 0
while at <= #ARGV do
  local count = tonumber(ARGV[at + 1])
  total, at = total + count, at + 2 + count * WIDTH
end
local seq = redis.call('INCRBY', P .. 'seq', total) - total

-- An add whose answer got lost comes again.
local function known_ids(first, last)
  local known, keys = {}, {}
  for i = first, last, WIDTH do keys[#keys + 1] = job_key(ARGV[i]) end
  for from = 1, #keys, CHUNK do
    local to = math.min(from + CHUNK - 1, #keys)
    if redis.call('EXISTS', unpack(keys, from, to)) > 0 then
      for i = from, to do known[i] = redis.call('EXISTS', keys[i]) == 1 end
    end
  end
  return known
end

local function clash(queue, first, last)
  local own = {}
  for i = first, last, WIDTH do
    local id, unique = ARGV[i], ARGV[i + 5]
    if unique ~= '' then
      local holder = own[unique] or redis.call('HGET', unique_key(queue), unique)
      if holder and holder ~= id then return holder end
      own[unique] = id
    end
  end
end

local function store(queue, i)
  local id, body, name, priority, key, unique, status, created, run_at = unpack(ARGV, i, i + WIDTH - 1)
  seq = seq + 1
  redis.call('HSET', job_key(id), 'queue', queue, 'name', name, 'priority', priority, 'fairKey', key,
    'status', status, 'seq', seq, 'createdAt', created, 'runAt', run_at)
  if unique ~= '' then
    redis.call('HSET', job_key(id), 'uniqueKey', unique)
    redis.call('HSET', unique_key(queue), unique, id)
  end
  local n = #bodies
  bodies[n + 1], bodies[n + 2] = P .. 'body:' .. id, body
  add(status_key(status, queue), seq, id)
  if status == PENDING then ready(queue, name, priority, key, id, seq) else add(P .. 'due', run_at, id) end
end

at = 1
while at <= #ARGV do
  local queue, first = ARGV[at], at + 2
  at = first + tonumber(ARGV[at + 1]) * WIDTH
  local holder = clash(queue, first, at - 1)
  if not holder then
    local known = known_ids(first, at - 1)
    for i = first, at - 1, WIDTH do
      if not known[(i - first) / WIDTH + 1] then store(queue, i) end
    end
  end
  answers[#answers + 1] = holder or ''
end
for i = 1, #bodies, CHUNK do redis.call('MSET', unpack(bodies, i, math.min(i + CHUNK - 1, #bodies))) end
flush()
return answers
