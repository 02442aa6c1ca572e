-- ARGV: queue, then for each job id, record, name, priority, fair key, unique key or '', status, runAt, the ids of those that
-- it still waits for as JSON or '', whether it runs when one of them failed, how many further values, those as pairs of
-- field and value, how many lines of its log, and the lines. Answers how many were new and '', or 0 and the live job that
-- has the unique key of one of them.
local queue, jobs, at, own = ARGV[1], {}, 2, {}
while at <= #ARGV do
  local id, unique, status, values = ARGV[at], ARGV[at + 5], ARGV[at + 6], tonumber(ARGV[at + 10])
  local log = at + 11 + values
  if redis.call('HEXISTS', JOBS, id) == 0 then
    if unique ~= '' and status < COMPLETED then
      local holder = own[unique] or redis.call('HGET', unique_key(queue), unique)
      if holder then return { 0, holder } end
      own[unique] = id
    end
    jobs[#jobs + 1] = { at = at, log = log }
  end
  at = log + 1 + tonumber(ARGV[log])
end

-- Of the jobs that it waited for, those that wait here; they came before it.
local function wait(id, parents, runs)
  local count = 0
  for _, parent in ipairs(parents) do
    thaw(parent)
    local of, status = unpack(redis.call('HMGET', job_key(parent), 'queue', 'status'))
    if of == queue and status < COMPLETED then
      count = count + redis.call('HSET', P .. 'children:' .. parent, id, runs)
      redis.call('HSET', job_key(parent), 'parent', 1)
    end
  end
  if count > 0 then redis.call('HSET', job_key(id), 'waitsFor', count) end
  return count > 0
end

local seq = redis.call('INCRBY', P .. 'seq', #jobs) - #jobs
for _, job in ipairs(jobs) do
  local id, record, name, priority, key, unique, status, run_at = unpack(ARGV, job.at, job.at + 7)
  seq = seq + 1
  redis.call('HSET', JOBS, id, record)
  if status < COMPLETED then redis.call('HSET', HELD, id, COLD) end
  redis.call('HSET', job_key(id), 'queue', queue, 'name', name, 'priority', priority, 'fairKey', key, 'status', status,
    'seq', seq, 'runAt', run_at, unpack(ARGV, job.at + 11, job.log - 1))
  if unique ~= '' then
    redis.call('HSET', job_key(id), 'uniqueKey', unique)
    if status < COMPLETED then redis.call('HSET', unique_key(queue), unique, id) end
  end
  local lines = tonumber(ARGV[job.log])
  if lines > 0 then redis.call('RPUSH', P .. 'log:' .. id, unpack(ARGV, job.log + 1, job.log + lines)) end
  add(status_key(status, queue), seq, id)
  if status == PENDING then ready(queue, name, priority, key, id, seq) end
  local parents = ARGV[job.at + 8]
  local waits = parents ~= '' and wait(id, cjson.decode(parents), ARGV[job.at + 9])
  if status == RETRYING or status == SCHEDULED and not waits then add(P .. 'due', run_at, id) end
end
flush()
return { #jobs, '' }
