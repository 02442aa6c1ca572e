-- ARGV: ids of jobs of format 1. Answers id, queue, createdAt, runAt and body of each that is there.
local found = {}
for _, id in ipairs(ARGV) do
  local job = redis.call('HMGET', job_key(id), 'queue', 'createdAt', 'runAt')
  local body = redis.call('GET', P .. 'body:' .. id)
  if job[1] and body then found[#found + 1] = { id, job[1], job[2], job[3], body } end
end
return found
