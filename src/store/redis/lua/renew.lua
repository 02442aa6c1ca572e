-- ARGV: new end, then id and fence of each lease. Answers the places of those that were lost, from 0.
local lost = {}
go_on_when_full()
for from = 2, #ARGV, 2 * CHUNK do
  local ids = {}
  for i = from, math.min(from + 2 * CHUNK - 2, #ARGV), 2 do ids[#ids + 1] = ARGV[i] end
  for n, state in ipairs(redis.call('HMGET', HELD, unpack(ids))) do
    local i = from + 2 * n - 2
    local queue = queue_of_run(ids[n], state, ARGV[i + 1])
    if queue then add(status_key(RUNNING, queue), ARGV[1], ids[n]) else lost[#lost + 1] = i / 2 - 1 end
  end
end
flush()
return lost
