-- ARGV: what the keys begin with. Answers key, version, value and time of each.
local found, all = {}, redis.call('HGETALL', P .. 'states:versions')
for i = 1, #all, 2 do
  local key = all[i]
  if string.sub(key, 1, #ARGV[1]) == ARGV[1] then
    found[#found + 1] = { key, all[i + 1], redis.call('HGET', P .. 'states:values', key), redis.call('HGET', P .. 'states:times', key) }
  end
end
return found
