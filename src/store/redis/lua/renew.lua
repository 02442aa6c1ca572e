-- ARGV: new end, then id and fence of each lease. Answers the places of those that were lost, from 0.
local lost = {}
go_on_when_full()
for i = 2, #ARGV, 2 do
  local job = redis.call('HMGET', job_key(ARGV[i]), 'status', 'fence')
  if job[1] == RUNNING and job[2] == ARGV[i + 1] then
    add(P .. 'leases', ARGV[1], ARGV[i])
  else
    lost[#lost + 1] = i / 2 - 1
  end
end
flush()
return lost
