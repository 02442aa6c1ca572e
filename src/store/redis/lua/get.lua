-- ARGV: queue, id. Answers its row, or nothing.
local id = ARGV[2]
if redis.call('HGET', job_key(id), 'queue') ~= ARGV[1] then return {} end
return with_bodies({ fields(id) }, { id })
