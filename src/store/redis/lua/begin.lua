-- ARGV: now, then id and fence of each lease. Those that are held are not ahead any more: they run.
go_on_when_full()
for i = 2, #ARGV, 2 do
  local id = ARGV[i]
  local state = redis.call('HGET', HELD, id)
  if is_held(id, state, ARGV[i + 1]) then
    if state == COLD then
      redis.call('HDEL', job_key(id), 'ahead')
      redis.call('HSET', job_key(id), 'startedAt', ARGV[1])
    else
      local seq, of = seq_of_run(state), run_of(state)
      redis.call('HSET', HELD, id, run_head(of.fence, BEGUN, ARGV[1], of.queue, of.key) .. seq)
    end
  end
end
return 1
