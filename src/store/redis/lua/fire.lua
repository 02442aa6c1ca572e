-- ARGV: queue, name of the schedule, when it was due, when it is due next or '', jobs. Answers nothing where it is due at
-- another time now; else as `add_all` for each job.
local queue, name, due, next_at, answers = ARGV[1], ARGV[2], ARGV[3], ARGV[4], {}
local key, place = schedule_key(queue, name), part(queue) .. name
if redis.call('HGET', key, 'nextAt') ~= due then return false end
for i = 5, #ARGV, WIDTH do
  if ARGV[i + 10] ~= '' then
    for _, parent in ipairs(cjson.decode(ARGV[i + 10])) do
      if not status_of(queue, parent) then return { { 'missing', parent } } end
    end
  end
end
reserve((#ARGV - 4) / WIDTH)
redis.call('HSET', key, 'lastAt', due)
plan_schedule(key, place, next_at)
for i = 5, #ARGV, WIDTH do answers[#answers + 1] = add_all(queue, i, i + WIDTH - 1) end
settle()
return answers
