-- ARGV: queue, id, now. Answers a word, what belongs to it, and the job's row.
local queue, id, key = ARGV[1], ARGV[2], job_key(ARGV[2])
thaw(id)
local job = redis.call('HMGET', key, 'queue', 'name', 'priority', 'fairKey', 'seq', 'uniqueKey', 'status')
local seq, unique, status = job[5], job[6], job[7]
if job[1] ~= queue then return { 'none', '', {} } end
if status == PENDING or status == RUNNING or status == COMPLETED then return { 'state', status, {} } end
if unique then
  local holder = redis.call('HGET', unique_key(queue), unique)
  if holder and holder ~= id then return { 'duplicate', holder, {} } end
  redis.call('HSET', unique_key(queue), unique, id)
end
remove(status_key(status, queue), id)
remove(P .. 'due', id)
add(status_key(PENDING, queue), seq, id)
ready(queue, job[2], job[3], job[4], id, seq)
redis.call('HSET', key, 'status', PENDING, 'runAt', ARGV[3], 'attempts', 0, 'stalls', 0, 'progress', 0)
redis.call('HDEL', key, 'finishedAt', 'startedAt', 'errorCode', 'errorMessage', 'result', 'waitsFor', 'ahead', 'doubtful')
redis.call('HSET', HELD, id, COLD)
flush()
return { 'ready', '', rows({ id }) }
