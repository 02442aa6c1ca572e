// Runs many boxes on each engine and looks at what they left: containers, mounts, control groups, files, descriptors and
// memory of this process. Ends with 1 where something stays. Needs the built package, Docker and root; nothing else
// should use the engine meanwhile. Usage: node scripts/soak-sandbox.mjs [runs on each engine, default 1000]
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { Sandbox } from '../dist/index.js'

const runs = Number(process.argv[2] ?? 1_000)
const AT_ONCE = 4
/** What the process may grow by after its first runs, in MB. */
const MOST_MEMORY = 48

const count = (command) => Number(execFileSync('sh', ['-c', `${command} | wc -l`], { encoding: 'utf8' }))
const left = () => ({
  containers: count('docker ps -aq --filter label=auton8n.owner'),
  mounts: readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length,
  groups: count("find /sys/fs/cgroup -mindepth 2 -type d \\( -path '*docker/*' -o -path '*auton8n/*' \\)"),
  folders: count('ls /var/lib/docker/containers 2>/dev/null'),
  files: readdirSync(tmpdir()).length,
  descriptors: readdirSync('/proc/self/fd').length,
  children: count(`ps -o pid= --ppid ${process.pid} | grep -v ' ps'`),
})
const memory = () => {
  globalThis.gc?.()
  return Math.round(process.memoryUsage.rss() / (1 << 20))
}

async function spend(sandbox, times) {
  let started = 0
  const one = async () => {
    while (started < times) {
      const number = started++
      const { stdout } = await sandbox.run({
        command: ['node', '-e', "require('fs').writeFileSync('out/x', 'x'.repeat(9999)); console.log(process.argv[1])", String(number)],
        files: { 'a.txt': 'x'.repeat(50_000) },
        collect: ['out'],
      })
      if (stdout !== `${number}\n`) throw new Error(`run ${number} printed ${JSON.stringify(stdout)}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
}

let isClean = true
for (const engine of ['docker', 'built-in']) {
  const first = await Sandbox.open({ engine, memory: '128m' })
  await spend(first, Math.min(20, runs))
  await first.close()
  const [before, held] = [left(), memory()]
  const sandbox = await Sandbox.open({ engine, memory: '128m' })
  const started = performance.now()
  await spend(sandbox, runs)
  const seconds = (performance.now() - started) / 1_000
  await sandbox.close()
  // The engine takes folders and groups away a moment after it says that a container is gone.
  let after = left()
  for (let turn = 0; turn < 100 && grown(before, after).length > 0; turn++) {
    await new Promise((next) => setTimeout(next, 100))
    after = left()
  }
  const more = grown(before, after)
  const megabytes = memory() - held
  if (megabytes > MOST_MEMORY) more.push(`memory: ${megabytes} MB more`)
  console.log(`${engine}: ${runs} runs in ${seconds.toFixed(1)} s, ${(runs / seconds).toFixed(1)} a second; memory of the process ${megabytes >= 0 ? '+' : ''}${megabytes} MB; ${JSON.stringify(after)}`)
  for (const line of more) console.error(`${engine}: something stays: ${line}`)
  isClean &&= more.length === 0
}
process.exitCode = isClean ? 0 : 1

function grown(before, after) {
  return Object.keys(before).filter((name) => after[name] > before[name]).map((name) => `${name}: ${before[name]} before, ${after[name]} after`)
}
