-- ARGV: queue, id, now. Answers its row as it is then, or nothing.
local queue, id, key = ARGV[1], ARGV[2], job_key(ARGV[2])
local job = redis.call('HMGET', key, 'queue', 'name', 'priority', 'fairKey', 'seq', 'uniqueKey', 'status')
local status = job[7]
if job[1] ~= queue or status >= COMPLETED then return {} end
remove(status_key(status, queue), id)
remove(P .. 'due', id)
remove(P .. 'leases', id)
if status ~= RUNNING then not_ready(queue, job[2], job[3], job[4], id) end
add(status_key(CANCELLED, queue), job[5], id)
flush()
redis.call('HSET', key, 'status', CANCELLED, 'finishedAt', ARGV[3])
release(queue, job[6], id)
return with_bodies({ fields(id) }, { id })
