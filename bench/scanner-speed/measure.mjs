// Fresh processes on one or two cores: wall time, CPU time and resident memory.
import { spawnSync } from 'node:child_process'

// wait4 tells the resources of this one child; those of the interpreter do not count.
const SCRIPT = `
import os, sys, time
null = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_WRONLY, 0) for fd in (1, 2)]
at = time.monotonic()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=null)
_, status, used = os.wait4(pid, 0)
print(time.monotonic() - at, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, os.waitstatus_to_exitcode(status))
`

/** Wall seconds, CPU seconds and resident MB of one fresh process on `cores` cores. */
function once(command, args, cores) {
  const list = cores === 1 ? '0' : '0,1'
  const env = { ...process.env, GOMAXPROCS: String(cores) }
  const result = spawnSync('taskset', ['-c', list, 'python3', '-c', SCRIPT, command, ...args], { env, encoding: 'utf8' })
  const [wall, cpu, resident, code] = result.stdout.trim().split(' ').map(Number)
  if (code === undefined) throw new Error(result.stderr.trim().split('\n').at(-1))
  return { wall, cpu, resident, code }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]

/** The medians of `runs` processes after one that warms the caches of the system. */
export function measure(command, args, cores, runs) {
  once(command, args, cores)
  const all = Array.from({ length: runs }, () => once(command, args, cores))
  const of = (field) => median(all.map((one) => one[field]))
  return { wall: of('wall'), cpu: of('cpu'), resident: of('resident') }
}
