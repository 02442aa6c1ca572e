// Whole jobs, from the specification to the package on the disk: the median of each stage, and jobs an hour.
// Usage: node bench/jobs.mjs [jobs for each figure, default 20]; needs the addon, `npm run build:plugin` and a sandbox.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatReply, openEngine } from '../dist/index.js'
import { median } from './median.mjs'

const STAGES = ['validate', 'scan', 'generate', 'inspect', 'install', 'type-check', 'lint', 'build', 'test', 'boot', 'package']
const jobs = Number(process.argv[2] ?? 20)
const specification = JSON.parse(readFileSync(new URL('../examples/weather.json', import.meta.url), 'utf8'))
const folder = mkdtempSync(join(tmpdir(), 'auton8n-bench-'))

try {
  const { directory, report } = await warm()
  // The model answers at once with what the template wrote, so that both ways are checked alike.
  const reply = formatReply({ ...filesOf(directory, 'src'), ...filesOf(directory, '__tests__') })
  console.log(`Node ${process.versions.node}, ${availableParallelism()} processors (${cpus()[0]?.model.trim()}), ${report.engine}, isolation ${report.isolation}`)

  const template = await run(1, {})
  const model = await run(1, { model: async () => reply })
  console.log(`\nStages, medians of ${jobs} jobs, one at a time, in ms`)
  console.table(Object.fromEntries([...STAGES, 'job'].map((name) => [name, { template: template.stages[name], 'instant model': model.stages[name] }])))

  const rows = { 1: figures(template) }
  for (const concurrency of [2, 4]) rows[concurrency] = figures(await run(concurrency, {}))
  console.log(`\nJobs an hour by concurrency, template, ${jobs} jobs each`)
  console.table(rows)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** One job fetches the tools and makes the image, which later ones find. */
async function warm() {
  const engine = await openEngine({ dataDir: join(folder, 'warm') })
  try {
    return await (await engine.createPlugin(specification)).result()
  } finally {
    await engine.close()
  }
}

async function run(concurrency, options) {
  const engine = await openEngine({ dataDir: mkdtempSync(join(folder, 'run-')), concurrency })
  try {
    const machine = busySeconds()
    const process0 = process.cpuUsage()
    const begun = performance.now()
    const results = await Promise.all(
      Array.from({ length: jobs }, async () => (await engine.createPlugin(specification, options)).result()),
    )
    const seconds = (performance.now() - begun) / 1000
    const used = process.cpuUsage(process0)
    const stages = Object.fromEntries(
      STAGES.map((name) => [name, Math.round(median(results.map(({ report }) => durationOf(report, name))))]),
    )
    stages.job = Math.round(median(results.map(({ report }) => report.finishedAt - report.startedAt)))
    return {
      stages,
      seconds,
      own: (used.user + used.system) / 1e6 / jobs,
      machine: machine === undefined ? undefined : (busySeconds() - machine) / jobs,
    }
  } finally {
    await engine.close()
  }
}

function figures({ seconds, stages, own, machine }) {
  return {
    'jobs an hour': Math.round((jobs / seconds) * 3600),
    'median ms a job': stages.job,
    'CPU s a job, this process': Number(own.toFixed(2)),
    // Boxes are not children of this process, so theirs is only in the sum of all that ran here meanwhile.
    'CPU s a job, whole machine': machine === undefined ? 'not known here' : Number(machine.toFixed(2)),
  }
}

function durationOf(report, name) {
  return report.checks.find((check) => check.name === name)?.durationMs ?? 0
}

/** Seconds that all processors were busy since the start; `undefined` where the system does not tell. */
function busySeconds() {
  try {
    const [user, nice, system, , , irq, soft] = readFileSync('/proc/stat', 'utf8').split('\n')[0].trim().split(/\s+/).slice(1).map(Number)
    return (user + nice + system + irq + soft) / 100
  } catch {
    return undefined
  }
}

function filesOf(root, name) {
  return Object.fromEntries(
    readdirSync(join(root, name), { withFileTypes: true }).flatMap((entry) => {
      const path = `${name}/${entry.name}`
      return entry.isDirectory() ? Object.entries(filesOf(root, path)) : [[path, readFileSync(join(root, path), 'utf8')]]
    }),
  )
}
