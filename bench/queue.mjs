// How fast the queue is beside others, on the same disk in the same run; every add of ours is synced before it resolves.
// Usage: node bench/queue.mjs [seconds for each figure, default 2] [makers, by a part of their names]
// Needs the addon, `npm run build:plugin`, Node 22 for pg-boss and Graphile Worker, redis-server and PostgreSQL. What is
// missing is left out by name. The peers are installed into a temporary folder.
import { performance } from 'node:perf_hooks'
import { table } from './peers.mjs'
import { makers, postgres } from './queue-peers.mjs'

const seconds = Number(process.argv[2] ?? 2)
const wanted = process.argv.slice(3)
const data = { text: 'x'.repeat(230) }
const BATCH = 10_000
const batch = Array.from({ length: BATCH }, () => data)
const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]

const figures = {
  'add, 1 caller, per second': queue => adds(queue, 1),
  'add, 100 callers, per second': queue => adds(queue, 100),
  'bulk add of 10,000, per second': async queue => {
    const started = performance.now()
    await queue.bulk(batch)
    return BATCH / ((performance.now() - started) / 1000)
  },
  'drain at 10, per second': queue => drain(queue, 10),
  'drain at 100, per second': queue => drain(queue, 100),
  'add to start, idle, p50, µs': idleStart,
}

async function adds(queue, callers) {
  const started = performance.now()
  let count = 0
  const caller = async () => {
    while (performance.now() < started + seconds * 1000) {
      await queue.add(data)
      count++
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return count / ((performance.now() - started) / 1000)
}

/** From the first job that started to the last, for so long. */
async function drain(queue, concurrency) {
  await queue.bulk(batch)
  let [ran, first, last] = [0, 0, 0]
  const done = new Promise(resolve => {
    const limit = setTimeout(resolve, seconds * 10_000)
    queue.work(concurrency, () => {
      last = performance.now()
      first ||= last
      if (++ran === BATCH) resolve(clearTimeout(limit))
    })
  })
  await done
  return ran / ((last - first) / 1000)
}

async function idleStart(queue) {
  let began = () => undefined
  await queue.work(1, () => began(performance.now()))
  const took = []
  const until = performance.now() + seconds * 2000
  while (took.length < 200 && performance.now() < until) {
    await new Promise(resolve => setTimeout(resolve, 10))
    const start = new Promise(resolve => (began = resolve))
    const added = performance.now()
    await Promise.all([start.then(now => took.push(now - added)), queue.add(data)])
  }
  took.sort((a, b) => a - b)
  return at(took, 0.5) * 1000
}

const rows = { 'an answered add survives': {} }
const columns = []
for (const [name, maker] of Object.entries(makers)) {
  if (wanted.length > 0 && !wanted.some(part => name.toLowerCase().includes(part.toLowerCase()))) continue
  columns.push(name)
  rows['an answered add survives'][name] = maker.durability
  for (const [figure, measure] of Object.entries(figures)) {
    rows[figure] ??= {}
    let server
    try {
      server = maker.postgres ? await postgres() : undefined
      if (maker.postgres && !server) throw new Error('PostgreSQL is not installed')
      const queue = await maker.open(server?.url)
      try {
        rows[figure][name] = await measure(queue)
      } finally {
        await queue.close()
      }
    } catch (error) {
      console.error(`${name}, ${figure}: left out: ${error.message}`)
    } finally {
      await server?.close()
    }
  }
}
table(`Queue, rows of 230 bytes, Node ${process.versions.node}`, columns, rows)
process.exit(0)
