// How fast the queue is beside others, on the same disk in the same run; every add of ours is synced before it resolves.
// Usage: node bench/queue.mjs [seconds for each figure, default 2] [rounds, default 1] [makers, by a part of their names]
// Needs the addon, `npm run build:plugin`, Node 22 for pg-boss, Graphile Worker and plainjob, redis-server and PostgreSQL.
// What is missing is left out by name. The peers are installed into a temporary folder. With several rounds the makers
// take turns, and the median is printed with the lowest and the highest.
import { performance } from 'node:perf_hooks'
import { table } from './peers.mjs'
import { makers, postgres } from './queue-peers.mjs'

const seconds = Number(process.argv[2] ?? 2)
const rounds = Number(process.argv[3] ?? 1)
const wanted = process.argv.slice(4)
const data = { text: 'x'.repeat(230) }
const BATCH = 10_000
const batch = Array.from({ length: BATCH }, () => data)
const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]

const figures = {
  'adds awaited by 1 caller, per second': (queue) => adds(queue, 1),
  'adds awaited by 100 callers, per second': (queue) => adds(queue, 100),
  'bulk adds of 10,000, per second': bulk,
  'drain at 10, per second': (queue, maker) => drain(queue, 10, maker),
  'drain at 100, per second': (queue, maker) => drain(queue, 100, maker),
  'add and run together, 100 callers, 100 workers, per second': together,
  'idle: add to start, p50, µs': idleStart,
  'idle: add to start, p99, µs': undefined,
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

async function bulk(queue) {
  const started = performance.now()
  let count = 0
  while (performance.now() < started + seconds * 1000) {
    await queue.bulk(batch)
    count += BATCH
  }
  return count / ((performance.now() - started) / 1000)
}

/** From the first job that started, for so long or until the last. Each maker has more waiting than it can do. */
async function drain(queue, concurrency, { backlog = 20_000 }) {
  for (let n = 0; n < backlog; n += BATCH) await queue.bulk(batch)
  let [ran, first, last] = [0, 0, 0]
  await new Promise((resolve) => {
    const limit = setTimeout(resolve, seconds * 10_000)
    queue.work(concurrency, () => {
      last = performance.now()
      first ||= last
      if (++ran === backlog || last > first + seconds * 1000) resolve(clearTimeout(limit))
    })
  })
  return ran / ((last - first) / 1000)
}

/** Jobs that were added, acknowledged and run, while 100 callers add one after the other. */
async function together(queue) {
  let [ran, added] = [0, 0]
  await queue.work(100, () => ran++)
  const started = performance.now()
  const caller = async () => {
    while (performance.now() < started + seconds * 1000) {
      await queue.add(data)
      added++
    }
  }
  await Promise.all(Array.from({ length: 100 }, caller))
  return Math.min(ran, added) / ((performance.now() - started) / 1000)
}

async function idleStart(queue) {
  let began = () => undefined
  await queue.work(1, () => began(performance.now()))
  const took = []
  const until = performance.now() + seconds * 2000
  while (took.length < 300 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    const start = new Promise((resolve) => (began = resolve))
    const added = performance.now()
    await Promise.all([start.then((now) => took.push(now - added)), queue.add(data)])
  }
  took.sort((a, b) => a - b)
  return [at(took, 0.5) * 1000, at(took, 0.99) * 1000]
}

// Connections of peers may outlive their close, and break when the server ends.
process.on('uncaughtException', (error) => console.error(`after its close: ${error.message}`))

const names = Object.keys(makers).filter(
  (name) => wanted.length === 0 || wanted.some((part) => name.toLowerCase().includes(part.toLowerCase())),
)
const found = {}
for (let round = 0; round < rounds; round++) {
  for (const name of names) {
    for (const [figure, measure] of Object.entries(figures)) {
      if (!measure) continue
      const maker = makers[name]
      let server
      try {
        server = maker.postgres ? await postgres() : undefined
        if (maker.postgres && !server) throw new Error('PostgreSQL is not installed')
        const queue = await maker.open(server?.url)
        try {
          const [first, second] = [await measure(queue, maker)].flat()
          keep(figure, name, first)
          if (second !== undefined) keep(figure.replace('p50', 'p99'), name, second)
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
}

function keep(figure, name, value) {
  found[figure] ??= {}
  found[figure][name] ??= []
  found[figure][name].push(value)
  if (process.env.AUTON8N_BENCH_PROGRESS) console.error(`${name}, ${figure}: ${Math.round(value)}`)
}

const number = (value) => Math.round(value).toLocaleString('en')
function shown(values) {
  values.sort((a, b) => a - b)
  const middle = number(values[values.length >> 1])
  return values.length === 1 ? middle : `${middle} (${number(values[0])}–${number(values.at(-1))})`
}

const rows = { 'an answered add survives': Object.fromEntries(names.map((name) => [name, makers[name].durability])) }
for (const figure of Object.keys(figures)) {
  rows[figure] = Object.fromEntries(Object.entries(found[figure] ?? {}).map(([name, all]) => [name, shown(all)]))
}
table(`Queue, jobs of 230 bytes, Node ${process.versions.node}`, names, rows)
process.exit(0)
