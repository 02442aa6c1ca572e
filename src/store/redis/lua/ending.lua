-- The end of a job, and what it means for others.
local DEPENDENCY_FAILED = 'AUTON8N_DEPENDENCY_FAILED'

-- It does not run any more.
local function leave(queue, key, id)
  remove(status_key(RUNNING, queue), id)
  runs(queue, key, -1)
end

-- Jobs that waited for one that is over wait for one less; those that are to fail with it are marked, and fall due.
local function let_go(id, ended, now)
  local children = redis.call('HGETALL', P .. 'children:' .. id)
  for i = 1, #children, 2 do
    local child, key = children[i], job_key(children[i])
    local status, waits, run_at = unpack(redis.call('HMGET', key, 'status', 'waitsFor', 'runAt'))
    waits = tonumber(waits or 0)
    if status == SCHEDULED and waits > 0 then
      if ended ~= COMPLETED and children[i + 1] == '0' then
        if tonumber(now) < tonumber(run_at) then run_at = now end
        redis.call('HSET', key, 'waitsFor', 0, 'runAt', run_at, 'errorCode', DEPENDENCY_FAILED,
          'errorMessage', 'the job ' .. id .. ' that it waits for failed or was cancelled')
        add(P .. 'due', run_at, child)
      else
        redis.call('HSET', key, 'waitsFor', waits - 1)
        if waits == 1 then add(P .. 'due', run_at, child) end
      end
    end
  end
  unlinked[#unlinked + 1] = P .. 'children:' .. id
end

-- Whether the job was not over.
local function cancel(queue, id, now)
  local key = job_key(id)
  thaw(id)
  local job = redis.call('HMGET', key, 'queue', 'name', 'priority', 'fairKey', 'seq', 'uniqueKey', 'status', 'parent')
  local status = job[7]
  if job[1] ~= queue or status >= COMPLETED then return false end
  if status == RUNNING then
    leave(queue, job[4], id)
  else
    remove(status_key(status, queue), id)
    remove(P .. 'due', id)
    not_ready(queue, job[2], job[3], job[4], id)
  end
  over[#over + 1] = id
  add(status_key(CANCELLED, queue), job[5], id)
  redis.call('HSET', key, 'status', CANCELLED, 'finishedAt', now)
  release(queue, job[6], id)
  if job[8] then let_go(id, CANCELLED, now) end
  return true
end
