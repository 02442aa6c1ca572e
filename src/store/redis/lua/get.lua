-- ARGV: queue, id. Answers its row, or nothing.
local record = redis.call('HGET', JOBS, ARGV[2])
if not record or facts(record).queue ~= ARGV[1] then return {} end
return rows({ ARGV[2] })
