-- ARGV: now. Answers when the next job falls due, or nothing; then the queues in which jobs became ready.
local queues, seen = {}, {}
redis.call('UNLINK', P .. 'none')
for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'due', '-inf', ARGV[1], 'LIMIT', 0, CHUNK)) do
  remove(P .. 'due', id)
  local key = job_key(id)
  local job = redis.call('HMGET', key, 'queue', 'name', 'priority', 'fairKey', 'seq', 'status')
  local queue = job[1]
  if queue then
    if job[6] == SCHEDULED then
      redis.call('HSET', key, 'status', PENDING)
      remove(status_key(SCHEDULED, queue), id)
      add(status_key(PENDING, queue), job[5], id)
    end
    ready(queue, job[2], job[3], job[4], id, job[5])
    if not seen[queue] then
      seen[queue] = true
      queues[#queues + 1] = queue
    end
  end
end
flush()
local following = redis.call('ZRANGE', P .. 'due', 0, 0, 'WITHSCORES')
return { following[2] or false, queues }
