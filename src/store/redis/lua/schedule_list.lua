-- ARGV: queue. Answers its schedules by their names.
local found = {}
for i, name in ipairs(redis.call('ZRANGE', P .. 'schedules:' .. ARGV[1], 0, -1)) do
  found[i] = schedule_row(schedule_key(ARGV[1], name))
end
return found
