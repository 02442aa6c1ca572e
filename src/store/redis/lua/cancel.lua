-- ARGV: queue, id, now. Answers its row as it is then, or nothing.
go_on_when_full()
if not cancel(ARGV[1], ARGV[2], ARGV[3]) then return {} end
flush()
return rows({ ARGV[2] })
