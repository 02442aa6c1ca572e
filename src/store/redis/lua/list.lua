-- ARGV: queue, seq or '' before which it begins, id whose seq it is or '', '=' and a name or '', limit, statuses. Answers the seq at
-- which to go on or '', and rows, the newest first. Looks at a bounded number of jobs.
local queue, start, cursor, name, limit = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local statuses = { unpack(ARGV, 6) }

-- Where the jobs begin whose id is smaller: ids are in the order of time, nearly that of the seq.
local function seq_after(set, id)
  local low, high = 0, redis.call('ZCARD', set)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if before(redis.call('ZRANGE', set, middle, middle)[1], id) then low = middle + 1 else high = middle end
  end
  return tonumber(redis.call('ZRANGE', set, low, low, 'WITHSCORES')[2] or 'inf')
end

if cursor ~= '' then
  start = seq_of(cursor)
  if not start then
    start = math.huge
    for _, status in ipairs(statuses) do
      if status ~= RUNNING then start = math.min(start, seq_after(status_key(status, queue), cursor)) end
    end
    start = start == math.huge and '' or whole(start)
  end
end
local max, found, more = start == '' and '+inf' or '(' .. start, {}, false

-- Those that run are few, and in the order of their leases.
local function running(before)
  local jobs, scored = {}, {}
  local ids = redis.call('ZRANGE', status_key(RUNNING, queue), 0, -1)
  for from = 1, #ids, CHUNK do
    for i, state in ipairs(redis.call('HMGET', HELD, unpack(ids, from, math.min(from + CHUNK - 1, #ids)))) do
      local id = ids[from + i - 1]
      local seq = tonumber(seq_of(id, state))
      if seq and (before == '' or seq < tonumber(before)) then jobs[#jobs + 1] = { id = id, seq = seq } end
    end
  end
  table.sort(jobs, function(a, b) return a.seq > b.seq end)
  for i = 1, math.min(#jobs, CHUNK) do scored[2 * i - 1], scored[2 * i] = jobs[i].id, jobs[i].seq end
  return scored
end

for _, status in ipairs(statuses) do
  local set = status == RUNNING and running(start) or redis.call('ZREVRANGEBYSCORE', status_key(status, queue), max, '-inf', 'WITHSCORES', 'LIMIT', 0, CHUNK)
  more = more or #set == 2 * CHUNK
  for i = 1, #set, 2 do found[#found + 1] = { id = set[i], seq = tonumber(set[i + 1]) } end
end
table.sort(found, function(a, b) return a.seq > b.seq end)
local ids, seen = {}, 0
for i = 1, math.min(#found, CHUNK) do
  if #ids == limit then break end
  local id = found[i].id
  seen = i
  local record = name ~= '' and redis.call('HGET', JOBS, id)
  if name == '' or record and '=' .. facts(record).name == name then ids[#ids + 1] = id end
end
local going_on = seen > 0 and (more or seen < #found)
return { going_on and whole(found[seen].seq) or '', rows(ids) }
