-- ARGV: now, then id and fence of each lease. Those that are held are not ahead any more: they run.
go_on_when_full()
local ids, fences, begun = {}, {}, {}
for i = 2, #ARGV, 2 do ids[#ids + 1], fences[#fences + 1] = ARGV[i], ARGV[i + 1] end
for from = 1, #ids, CHUNK do
  local states = redis.call('HMGET', HELD, unpack(ids, from, math.min(from + CHUNK - 1, #ids)))
  for n, state in ipairs(states) do
    local id, fence = ids[from + n - 1], fences[from + n - 1]
    if not queue_of_run(id, state, fence) then
      -- Its lease was lost.
    elseif state == COLD then
      redis.call('HDEL', job_key(id), 'ahead')
      redis.call('HSET', job_key(id), 'startedAt', ARGV[1])
    else
      local of, m = run_of(state), #begun
      begun[m + 1], begun[m + 2] = id, run_head(of.fence, BEGUN, ARGV[1], of.queue, of.key) .. seq_of_run(state)
    end
  end
end
in_chunks('HSET', HELD, begun)
return 1
