// node --expose-gc bench/breaker.mjs: circuit breakers side by side in one run, medians of five rounds.
import { medians, ours, peers, perCall, table } from './peers.mjs'

const { CircuitBreaker } = await ours('api/breaker.js')
const [Opossum, cockatiel] = await peers(['opossum@9', 'cockatiel@3'])
const COUNT = Number(process.env.COUNT ?? 50_000)

const ok = async () => 1
const withSignal = async (_signal) => 1
const down = () => Promise.reject(new Error('down'))
const quiet = (call) => call().catch(() => {})

const ourOptions = { timeout: 0 }
const policy = () =>
  cockatiel.circuitBreaker(cockatiel.handleAll, {
    halfOpenAfter: 60_000,
    breaker: new cockatiel.SamplingBreaker({ threshold: 0.5, duration: 60_000, minimumRps: 1 }),
  })
const opossum = (fn, options = {}) => {
  const breaker = new Opossum(fn, { timeout: false, rollingCountTimeout: 60_000, volumeThreshold: 10, ...options })
  process.once('exit', () => breaker.shutdown())
  return breaker
}

const closed = { ours: new CircuitBreaker('a', ourOptions), opossum: opossum(ok), cockatiel: policy() }
const timed = {
  ours: new CircuitBreaker('a', { timeout: 10_000 }),
  opossum: opossum(ok, { timeout: 10_000 }),
  cockatiel: cockatiel.wrap(policy(), cockatiel.timeout(10_000, cockatiel.TimeoutStrategy.Aggressive)),
}
const open = { ours: new CircuitBreaker('a', ourOptions), opossum: opossum(down), cockatiel: policy() }
open.ours.isolate()
open.opossum.open()
open.cockatiel.isolate()
const bare = await medians({ bare: () => perCall(COUNT, ok), wrapper: () => perCall(COUNT, async () => await ok()) })

const hundred = (call) => async () =>
  (await perCall(COUNT / 100, () => Promise.all(Array.from({ length: 100 }, call)))) / 100
const rows = {}
const add = async (name, cases) => (rows[name] = await medians(cases))
await add('closed call, ns', {
  bare: () => perCall(COUNT, ok),
  ours: () => perCall(COUNT, () => closed.ours.execute(ok)),
  opossum: () => perCall(COUNT, () => closed.opossum.fire()),
  cockatiel: () => perCall(COUNT, () => closed.cockatiel.execute(ok)),
})
await add('closed call, 100 at once, ns', {
  bare: hundred(ok),
  ours: hundred(() => closed.ours.execute(ok)),
  opossum: hundred(() => closed.opossum.fire()),
  cockatiel: hundred(() => closed.cockatiel.execute(ok)),
})
await add('with a time-out, ns', {
  bare: () => perCall(COUNT, ok),
  ours: () => perCall(COUNT, () => timed.ours.execute(ok)),
  opossum: () => perCall(COUNT, () => timed.opossum.fire()),
  cockatiel: () => perCall(COUNT / 5, () => timed.cockatiel.execute(ok)),
})
await add('with a time-out and a signal, ns', {
  ours: () => perCall(COUNT, () => timed.ours.execute(withSignal)),
  cockatiel: () => perCall(COUNT / 5, () => timed.cockatiel.execute(({ signal }) => withSignal(signal))),
})
await add('refused call, ns', {
  bare: () => perCall(COUNT, () => quiet(down)),
  ours: () => perCall(COUNT, () => quiet(() => open.ours.execute(ok))),
  opossum: () => perCall(COUNT, () => quiet(() => open.opossum.fire())),
  cockatiel: () => perCall(COUNT, () => quiet(() => open.cockatiel.execute(ok))),
})

async function footprint(make, use) {
  const settle = async () => {
    for (let i = 0; i < 3; i++) {
      globalThis.gc?.()
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return process.memoryUsage().rss
  }
  const before = await settle()
  const kept = Array.from({ length: 10_000 }, (_, i) => make(i))
  if (use) for (const breaker of kept) await use(breaker)
  const bytes = ((await settle()) - before) / kept.length
  const cpu = process.cpuUsage()
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  const used = process.cpuUsage(cpu)
  const percent = (used.user + used.system) / 20_000
  for (const breaker of kept) breaker.shutdown?.()
  return { bytes, percent: `${percent.toFixed(2)} %` }
}
const idle = {
  ours: await footprint((i) => new CircuitBreaker(`b${i}`)),
  cockatiel: await footprint(policy),
  opossum: await footprint(() => new Opossum(ok)),
}
const used = {
  ours: await footprint((i) => new CircuitBreaker(`u${i}`), (breaker) => breaker.execute(ok)),
  cockatiel: await footprint(policy, (breaker) => breaker.execute(ok)),
  opossum: await footprint(() => new Opossum(ok), (breaker) => breaker.fire()),
}
rows['bytes of one of 10,000 that made a call (resident)'] = Object.fromEntries(
  Object.entries(used).map(([name, { bytes }]) => [name, bytes]),
)
rows['bytes of one of 10,000 (resident)'] = Object.fromEntries(
  Object.entries(idle).map(([name, { bytes }]) => [name, bytes]),
)
rows['CPU of 10,000 idle ones'] = Object.fromEntries(Object.entries(idle).map(([name, { percent }]) => [name, percent]))

table('Circuit breakers', ['bare', 'ours', 'opossum', 'cockatiel'], rows)
console.log(
  `\nbare call ${bare.bare.toFixed(0)} ns, plainest async wrapper ${bare.wrapper.toFixed(0)} ns; Node ${process.version}`,
)
process.exit(0)
