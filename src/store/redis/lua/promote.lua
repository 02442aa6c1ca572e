-- ARGV: now. Answers when the next job or schedule falls due, or ''; the queues in which jobs became ready; queue, id, name,
-- code and message of those that failed with a job that they waited for; and schedules that are due.
local now, queues, seen, failed, schedules = ARGV[1], {}, {}, {}, {}
local ROUNDS = 10
go_on_when_full()

local function fail(id, key, job)
  local queue = job[1]
  redis.call('HSET', key, 'status', FAILED, 'finishedAt', now)
  remove(status_key(SCHEDULED, queue), id)
  over[#over + 1] = id
  add(status_key(FAILED, queue), job[5], id)
  release(queue, job[9], id)
  if job[10] then let_go(id, FAILED, now) end
  failed[#failed + 1] = { queue, id, job[2], job[7], job[8] }
end

local function make_ready(id, key, job)
  local queue = job[1]
  if job[6] == SCHEDULED then
    redis.call('HSET', key, 'status', PENDING)
    remove(status_key(SCHEDULED, queue), id)
    add(status_key(PENDING, queue), job[5], id)
  end
  ready(queue, job[2], job[3], job[4], id, job[5])
  if not seen[queue] then
    seen[queue] = true
    queues[#queues + 1] = queue
  end
end

-- An end may let others fail, which then are due at once.
for _ = 1, ROUNDS do
  local before = #failed
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'due', '-inf', now, 'LIMIT', 0, CHUNK)) do
    remove(P .. 'due', id)
    local key = job_key(id)
    local job = redis.call('HMGET', key, 'queue', 'name', 'priority', 'fairKey', 'seq', 'status', 'errorCode',
      'errorMessage', 'uniqueKey', 'parent')
    if job[1] then
      if job[6] == SCHEDULED and job[7] then fail(id, key, job) else make_ready(id, key, job) end
    end
  end
  flush()
  if #failed == before then break end
end
for _, place in ipairs(redis.call('ZRANGEBYSCORE', P .. 'planned', '-inf', now, 'LIMIT', 0, CHUNK)) do
  schedules[#schedules + 1] = schedule_row(P .. 'schedule:' .. place)
end
local next_due
for _, set in ipairs({ 'due', 'planned' }) do
  local at = redis.call('ZRANGE', P .. set, 0, 0, 'WITHSCORES')[2]
  if at and (not next_due or tonumber(at) < tonumber(next_due)) then next_due = at end
end
return { next_due or '', queues, failed, schedules }
