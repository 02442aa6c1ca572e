-- ARGV: queue, name, cron, time zone, missed, job, when it is due or '', when it was due last or ''.
local queue, name, cron, zone, missed, job, next_at, last_at = unpack(ARGV)
local key = schedule_key(queue, name)
local before = redis.call('HMGET', key, 'cron', 'timeZone')
redis.call('HSET', key, 'queue', queue, 'id', name, 'cron', cron, 'timeZone', zone, 'missed', missed, 'job', job)
redis.call('ZADD', P .. 'schedules:' .. queue, 0, name)
-- The same times go on, so that a restart misses none.
if before[1] ~= cron or before[2] ~= zone then
  plan_schedule(key, part(queue) .. name, next_at)
  if last_at == '' then redis.call('HDEL', key, 'lastAt') else redis.call('HSET', key, 'lastAt', last_at) end
end
return 1
