// How fast the embedded job queue is here. Every add is synced to the disk before it resolves.
// Usage: node bench/queue.mjs [seconds for each figure, default 2]; needs the addon and `npm run build:plugin`.
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { JobQueue } from '../dist/api/queue.js'

const seconds = Number(process.argv[2] ?? 2)
const data = { text: 'x'.repeat(230) }
const rows = {}

async function withQueue(work) {
  // Beside the sources, since a temporary directory may lie in memory.
  const dataDir = mkdtempSync(join(import.meta.dirname, '.queue-'))
  const queue = await JobQueue.open('bench', { dataDir })
  try {
    return await work(queue)
  } finally {
    await queue.shutdown()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]

async function adds(callers) {
  return withQueue(async queue => {
    const until = performance.now() + seconds * 1000
    const started = performance.now()
    const took = []
    await Promise.all(
      Array.from({ length: callers }, async () => {
        while (performance.now() < until) {
          const begun = performance.now()
          await queue.addJob('a', data)
          took.push(performance.now() - begun)
        }
      }),
    )
    const rate = took.length / ((performance.now() - started) / 1000)
    took.sort((a, b) => a - b)
    return { perSecond: Math.round(rate), p50ms: at(took, 0.5), p99ms: at(took, 0.99) }
  })
}

const batch = Array.from({ length: 10_000 }, () => ({ name: 'a', data }))

async function bulk() {
  return withQueue(async queue => {
    const started = performance.now()
    for (let n = 0; n < 3; n++) await queue.addBulkJobs(batch)
    return { perSecond: Math.round((3 * batch.length) / ((performance.now() - started) / 1000)) }
  })
}

async function drain(concurrency) {
  return withQueue(async queue => {
    await queue.addBulkJobs(batch)
    let ran = 0
    const done = new Promise(resolve => queue.registerHandler('a', () => void (++ran === batch.length && resolve())))
    const started = performance.now()
    await queue.createWorker({ concurrency }).start()
    await done
    return { perSecond: Math.round(batch.length / ((performance.now() - started) / 1000)) }
  })
}

async function idleStart() {
  return withQueue(async queue => {
    let began = () => undefined
    queue.registerHandler('a', () => began(performance.now()))
    await queue.createWorker().start()
    const took = []
    for (let n = 0; n < 200; n++) {
      await new Promise(resolve => setTimeout(resolve, 5))
      const start = new Promise(resolve => (began = resolve))
      const added = performance.now()
      await Promise.all([start.then(now => took.push(now - added)), queue.addJob('a', data)])
    }
    took.sort((a, b) => a - b)
    return { p50ms: at(took, 0.5), p99ms: at(took, 0.99) }
  })
}

rows['add, 1 caller'] = await adds(1)
rows['add, 100 callers'] = await adds(100)
rows['bulk add, 10000 each'] = await bulk()
for (const concurrency of [1, 10, 100]) rows[`drain, concurrency ${concurrency}`] = await drain(concurrency)
rows['add to start, idle'] = await idleStart()
console.table(rows)
