-- New jobs, and what their unique keys and the jobs that they wait for mean for them. For each job ARGV has id, record, name,
-- priority, fair key, unique key or '', status, createdAt, runAt, what becomes of a duplicate, the ids of those that it
-- waits for as JSON or '', and whether it runs when one of them failed.
local WIDTH = 12
local REPLACE, KEEP = 'replace', 'keep'
local records, marks, seq = {}, {}, 0

local function reserve(count) seq = redis.call('INCRBY', P .. 'seq', count) - count end

-- As text, of which all but the last digit is written once for ten.
local DIGITS, tens = { [0] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' }, nil
local function next_seq()
  seq = seq + 1
  local digit = seq % 10
  if not tens or digit == 0 then tens = whole((seq - digit) / 10) end
  return tens .. DIGITS[digit]
end

local function settle()
  in_chunks('HSET', JOBS, records)
  in_chunks('HSET', HELD, marks)
  records, marks = {}, {}
  flush()
end

-- What becomes of each job: it is stored, or another one is answered in its place. Or why none is stored.
local function plan(queue, first, last)
  local all = { answers = {}, kept = {}, replaced = {}, new = {}, waits = {}, special = false }
  local own = {}
  for i = first, last, WIDTH do
    local id, unique, answer = ARGV[i], ARGV[i + 5], ARGV[i]
    if unique ~= '' then
      local holder, earlier = own[unique], true
      if not holder then
        holder, earlier = redis.call('HGET', unique_key(queue), unique), false
        if holder == id then holder = false end
      end
      if holder then
        all.special = true
        if ARGV[i + 9] == KEEP then
          all.kept[id], answer = holder, holder
        elseif ARGV[i + 9] == REPLACE and not earlier then
          all.replaced[#all.replaced + 1] = holder
          all.replaced[holder] = true
        else
          return nil, { 'duplicate', holder }
        end
      end
      own[unique] = answer
    end
    all.answers[#all.answers + 1] = answer
    if answer == id then all.new[id] = true end
    all.special = all.special or ARGV[i + 10] ~= ''
  end
  return all
end

local function status_of(queue, id)
  thaw(id)
  local job = redis.call('HMGET', job_key(id), 'queue', 'status')
  return job[1] == queue and job[2]
end

-- What the jobs wait for, or which of these does not exist.
local function waits(queue, first, last, all)
  for i = first, last, WIDTH do
    local id = ARGV[i]
    if ARGV[i + 10] ~= '' and all.new[id] then
      local wait, seen = { parents = {}, renamed = {} }, {}
      for _, named in ipairs(cjson.decode(ARGV[i + 10])) do
        local parent = all.kept[named] or named
        if parent ~= named then wait.renamed[named] = parent end
        local status = all.new[parent] and PENDING or all.replaced[parent] and CANCELLED or status_of(queue, parent)
        if not status then return named end
        if status == FAILED or status == CANCELLED then
          wait.lost = parent
        elseif status ~= COMPLETED and not seen[parent] then
          wait.parents[#wait.parents + 1] = parent
        end
        seen[parent] = true
      end
      all.waits[id] = wait
    end
  end
end

-- The record with other ids of jobs that it waits for; an id is nowhere else in it.
local function renamed(record, names)
  for named, parent in pairs(names) do
    local from, to = string.find(record, cjson.encode(named), 1, true)
    if from then record = string.sub(record, 1, from - 1) .. cjson.encode(parent) .. string.sub(record, to + 1) end
  end
  return record
end

local function store(queue, i, wait)
  local id, record, name, priority, key, unique, status, created, run_at = unpack(ARGV, i, i + 8)
  local due = status == SCHEDULED
  local seq = next_seq()
  if wait then
    record = renamed(record, wait.renamed)
    if wait.lost and ARGV[i + 11] == '0' then
      -- The next `promote` ends it.
      status, due = SCHEDULED, true
      if tonumber(created) < tonumber(run_at) then run_at = created end
      redis.call('HSET', job_key(id), 'errorCode', DEPENDENCY_FAILED,
        'errorMessage', 'the job ' .. wait.lost .. ' that it waits for failed or was cancelled')
    elseif #wait.parents > 0 then
      status, due = SCHEDULED, false
      redis.call('HSET', job_key(id), 'waitsFor', #wait.parents)
      for _, parent in ipairs(wait.parents) do
        redis.call('HSET', P .. 'children:' .. parent, id, ARGV[i + 11])
        redis.call('HSET', job_key(parent), 'parent', 1)
      end
    end
  end
  redis.call('HSET', job_key(id), 'queue', queue, 'name', name, 'priority', priority, 'fairKey', key,
    'status', status, 'seq', seq, 'runAt', run_at)
  if unique ~= '' then
    redis.call('HSET', job_key(id), 'uniqueKey', unique)
    redis.call('HSET', unique_key(queue), unique, id)
  end
  local n = #records
  records[n + 1], records[n + 2] = id, record
  marks[n + 1], marks[n + 2] = id, COLD
  add(status_key(status, queue), seq, id)
  if status == PENDING then ready(queue, name, priority, key, id, seq) end
  if due then add(P .. 'due', run_at, id) end
end

-- Adds the jobs of ARGV from `first` to `last`, all or none. Answers '' where they are stored as they came; else 'added',
-- their rows, the ids of those that were kept and the rows of those that were replaced; or a word of refusal and an id.
local function add_all(queue, first, last, repeated)
  local all, refusal = plan(queue, first, last)
  if refusal then return refusal end
  if all.special then
    local missing = waits(queue, first, last, all)
    if missing then return { 'missing', missing } end
  end
  local kept = {}
  if #all.replaced > 0 then
    -- Removals are made before additions: what was added before in this call may be replaced, and what leaves a lane
    -- may make room for another one.
    settle()
    for _, id in ipairs(all.replaced) do cancel(queue, id, ARGV[first + 7]) end
    settle()
  end
  for i = first, last, WIDTH do
    local id = ARGV[i]
    -- An add whose answer got lost comes again.
    local is_here = repeated and redis.call('HEXISTS', JOBS, id) == 1
    if all.new[id] and not is_here then store(queue, i, all.waits[id]) end
    -- Those of the batch itself were not there before.
    if all.kept[id] and not all.new[all.kept[id]] then kept[#kept + 1] = all.kept[id] end
  end
  if not all.special then return '' end
  settle()
  return { 'added', rows(all.answers), kept, rows(all.replaced) }
end
