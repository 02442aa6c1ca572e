// A process whose breaker shares its state: it prints each change, and does what it is told on its input.
import { createInterface } from 'node:readline'
import { CircuitBreaker, JobQueue, SharedBreakers } from '../../dist/index.js'

const [store] = process.argv.slice(2)
const say = (...words) => process.stdout.write(`${words.join(' ')}\n`)

// A process takes long to start; it joins the others when it is told to.
say('loaded')
const lines = createInterface(process.stdin)[Symbol.asyncIterator]()
await lines.next()
const queue = await JobQueue.open('q', store.startsWith('postgres') ? { store } : { dataDir: store })
const breaker = new CircuitBreaker('payments', { failureThreshold: 2, successThreshold: 1, resetTimeout: 3_000 })
for (const event of ['open', 'half-open', 'close']) breaker.on(event, () => say(event))
const shared = await SharedBreakers.share(queue, breaker, { interval: 50 })
say('ready', breaker.getState())

const ways = {
  fail: () => breaker.execute(async () => Promise.reject(new Error('down'))).catch((error) => say('error', error.code ?? error.message)),
  succeed: () => breaker.execute(async () => 1).then(() => say('answered'), (error) => say('error', error.code)),
  isolate: () => breaker.isolate(),
  close: () => breaker.forceClose(),
  async end() {
    shared.stop()
    await queue.shutdown()
    process.exit(0)
  },
}
for await (const line of lines) await ways[line]?.()
