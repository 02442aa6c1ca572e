-- Jobs that are added again and again.
local SCHEDULE = { 'queue', 'id', 'cron', 'timeZone', 'missed', 'job', 'nextAt', 'lastAt' }

local function schedule_key(queue, name) return P .. 'schedule:' .. part(queue) .. name end
local function schedule_row(key) return redis.call('HMGET', key, unpack(SCHEDULE)) end

-- When it is due next, or '' for never.
local function plan_schedule(key, place, next_at)
  if next_at == '' then
    redis.call('ZREM', P .. 'planned', place)
    redis.call('HDEL', key, 'nextAt')
  else
    redis.call('ZADD', P .. 'planned', next_at, place)
    redis.call('HSET', key, 'nextAt', next_at)
  end
end
