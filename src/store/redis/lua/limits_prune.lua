-- ARGV: queue, now. Forgets windows that ended.
local stored = redis.call('GET', P .. 'limits:' .. ARGV[1])
if not stored then return 0 end
local limits, longest = cjson.decode(stored), 0
for _, rate in pairs({ present(limits.rate) or false, present(limits.perKey.rate) or false }) do
  if rate then longest = math.max(longest, rate.per) end
end
local since = P .. 'since:' .. ARGV[1]
local ended = redis.call('ZRANGEBYSCORE', since, '-inf', '(' .. whole(ARGV[2] - longest), 'LIMIT', 0, CHUNK)
if #ended > 0 then
  redis.call('ZREM', since, unpack(ended))
  redis.call('HDEL', P .. 'used:' .. ARGV[1], unpack(ended))
end
return #ended
