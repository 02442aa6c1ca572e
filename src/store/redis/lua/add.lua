-- ARGV: for each add its queue and how many jobs, and the jobs. Answers as `add_all` for each.
local answers, at, total = {}, 1, 0
while at <= #ARGV do
  local count = tonumber(ARGV[at + 1])
  total, at = total + count, at + 2 + count * WIDTH
end
reserve(total)
at = 1
while at <= #ARGV do
  local queue, first = ARGV[at], at + 2
  at = first + tonumber(ARGV[at + 1]) * WIDTH
  answers[#answers + 1] = add_all(queue, first, at - 1)
end
settle()
return answers
