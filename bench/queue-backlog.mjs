// What a backlog costs the embedded queue: memory, the first job after opening, and the rate of draining.
// Usage: node bench/queue-backlog.mjs [numbers of waiting jobs, default 1000 10000 100000 1000000]
// Each number is filled by one process and opened by another one. Needs the addon and `npm run build:plugin`.
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { table } from './peers.mjs'
import { folder } from './queue-peers.mjs'

const BATCH = 10_000
const CONCURRENCY = 100
/** Draining is measured over so many jobs at most, after as many to warm up. */
const DRAIN = 100_000

if (process.argv[2] === '--fill') await fill(process.argv[3], Number(process.argv[4]))
else if (process.argv[2] === '--drain') await drain(process.argv[3], Number(process.argv[4]))
else {
  const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1_000, 10_000, 100_000, 1_000_000]
  const [columns, rows] = [[], {}]
  for (const size of sizes) {
    const dataDir = folder()
    try {
      const column = `${size.toLocaleString('en')} waiting`
      columns.push(column)
      for (const step of ['--fill', '--drain']) {
        const found = JSON.parse(
          execFileSync(process.execPath, [fileURLToPath(import.meta.url), step, dataDir, String(size)], { encoding: 'utf8' }),
        )
        for (const [name, value] of Object.entries(found)) (rows[name] ??= {})[column] = value
      }
    } finally {
      rmSync(dataDir, { recursive: true, force: true })
    }
  }
  table(`Queue, embedded, jobs of 230 bytes, Node ${process.versions.node}`, columns, rows)
}

async function open(dataDir) {
  const { JobQueue } = await import('../dist/api/queue.js')
  return JobQueue.open('bench', { dataDir, retention: { count: 0 } })
}

async function fill(dataDir, size) {
  const queue = await open(dataDir)
  const data = { text: 'x'.repeat(230) }
  const started = performance.now()
  for (let n = 0; n < size; n += BATCH) {
    const count = Math.min(BATCH, size - n)
    await queue.addBulkJobs(Array.from({ length: count }, () => ({ name: 'a', data })))
  }
  const took = (performance.now() - started) / 1000
  console.log(JSON.stringify({ 'filled, per second': size / took, 'memory then, MB': peak() }))
  await queue.shutdown()
}

async function drain(dataDir, size) {
  await import('../dist/api/queue.js')
  const began = performance.now()
  const queue = await open(dataDir)
  const opened = performance.now() - began
  let [ran, first, warm, memory] = [0, 0, 0, 0]
  const count = Math.min(size, 2 * DRAIN)
  const half = Math.floor(count / 2)
  const took = await new Promise((resolve) => {
    queue.registerHandler('a', () => {
      first ||= performance.now() - began
      ran++
      if (ran === half) warm = performance.now()
      if (ran === count) {
        memory = rss()
        resolve(performance.now() - warm)
      }
    })
    void queue.createWorker({ concurrency: CONCURRENCY, shutdownTimeout: 0 }).start()
  })
  console.log(
    JSON.stringify({
      'opened after, ms': opened,
      'first job after, ms': first,
      'drained at 100, per second': (count - half) / (took / 1000),
      'memory while draining, MB': memory,
    }),
  )
  process.exit(0)
}

function rss() {
  return process.memoryUsage.rss() / 1e6
}

/** The most that the process ever held. */
function peak() {
  const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))
  return found ? (Number(found[1]) * 1024) / 1e6 : rss()
}
