// What the package costs an agent at start: its import, and its registration in a real AgentRuntime.
// Usage: node bench/import.mjs [fresh processes, default 10]; needs `npm run build:plugin`.
import { execFileSync } from 'node:child_process'
import { median } from './median.mjs'

const TARGET = 50
const times = Number(process.argv[2] ?? 10)

const program = `
  const { AgentRuntime } = await import('@elizaos/core')
  const runtime = new AgentRuntime({ character: { name: 'Bench', bio: ['Measures.'] } })
  const begun = performance.now()
  const { default: plugin } = await import('./dist/index.js')
  const imported = performance.now()
  await runtime.registerPlugin(plugin)
  const registered = performance.now()
  const addons = process.report.getReport().sharedObjects.filter((path) => /auton8n.*\\.node$/.test(path))
  console.log('\\n' + JSON.stringify({ import: imported - begun, register: registered - imported, addons: addons.length }))
  process.exit(0)
`

const seen = Array.from({ length: times }, () => {
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: `${import.meta.dirname}/..`,
    env: { ...process.env, LOG_LEVEL: 'fatal' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return JSON.parse(out.trim().split('\n').at(-1))
})

const imported = median(seen.map((run) => run.import))
const registered = median(seen.map((run) => run.register))
const both = median(seen.map((run) => run.import + run.register))
console.log(`Node ${process.versions.node}, ${times} fresh processes, medians`)
console.table({
  'import of the package': { ms: Number(imported.toFixed(1)) },
  'registration in an AgentRuntime': { ms: Number(registered.toFixed(1)) },
  [`both (target: under ${TARGET})`]: { ms: Number(both.toFixed(1)) },
})
if (seen.some((run) => run.addons > 0)) console.log('The addon was loaded, which it should not be before its first use.')
process.exitCode = both < TARGET ? 0 : 1
