-- What holds jobs of a queue back during one claim.
local function present(value) return value ~= cjson.null and value or nil end

local function gate(queue, now, limits)
  local self = { keys = {} }

  local function wait_for(at) self.next_at = math.min(self.next_at or at, at) end

  -- What is left of a limit; `key` is '' for the queue as a whole.
  local function place(limit, key, running)
    local found = { room = math.huge, rate = present(limit.rate), since = 0, used = 0, started = 0 }
    local most, rate = present(limit.concurrency), found.rate
    if most then found.room = math.max(most - running(), 0) end
    if rate then
      found.since = tonumber(redis.call('ZSCORE', P .. 'since:' .. queue, key) or 0)
      found.used = tonumber(redis.call('HGET', P .. 'used:' .. queue, key) or 0)
      -- A clock that was set back ends a window, so that it cannot last for ever.
      found.open = found.since <= now and now < found.since + rate.per
      local starts = math.max(rate.count - (found.open and found.used or 0), 0)
      if starts == 0 then wait_for(found.since + rate.per) end
      found.room = math.min(found.room, starts)
    end
    return found
  end

  self.whole = place(limits, '', function() return redis.call('ZCARD', status_key(RUNNING, queue)) end)

  function self.is_open() return self.whole.room > 0 end

  function self.is_open_for(key)
    if key == '' then return true end
    if not self.keys[key] then
      self.keys[key] = place(limits.perKey, key, function() return redis.call('HGET', P .. 'busy:' .. queue, key) or 0 end)
    end
    return self.keys[key].room > 0
  end

  local function start(of)
    of.room, of.started = of.room - 1, of.started + 1
  end

  function self.passed(key)
    start(self.whole)
    if key ~= '' then start(self.keys[key]) end
  end

  local function keep(key, of)
    if not of.rate or of.started == 0 then return end
    if not of.open then of.since, of.used = now, 0 end
    of.used = of.used + of.started
    redis.call('ZADD', P .. 'since:' .. queue, of.since, key)
    redis.call('HSET', P .. 'used:' .. queue, key, of.used)
    if of.used >= of.rate.count then wait_for(of.since + of.rate.per) end
  end

  -- Stores the starts, and tells when a window that is full now ends.
  function self.keep()
    for key, of in pairs(self.keys) do keep(key, of) end
    keep('', self.whole)
  end

  return self
end
