-- ARGV: lines that are kept, then for each report id, fence, progress, stage, iteration, checkpoint (each or ''), how many
-- lines, and the lines.
local at = 2
while at <= #ARGV do
  local id, fence, lines = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 6])
  local first = at + 7
  if queue_of_run(id, redis.call('HGET', HELD, id), fence) then
    thaw(id)
    for i, field in ipairs({ 'progress', 'stage', 'iteration', 'checkpoint' }) do
      local value = ARGV[at + 1 + i]
      if value ~= '' then redis.call('HSET', job_key(id), field, value) end
    end
    if lines > 0 then
      local log = P .. 'log:' .. id
      for i = first, first + lines - 1, CHUNK do
        redis.call('RPUSH', log, unpack(ARGV, i, math.min(i + CHUNK, first + lines) - 1))
      end
      redis.call('LTRIM', log, -tonumber(ARGV[1]), -1)
    end
  end
  at = first + lines
end
return 1
