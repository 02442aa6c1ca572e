// node examples/shared-breaker.mjs [STORE]: start it in two terminals, on one PostgreSQL (postgres://…) or without an
// argument on one data directory. The service is down every other half minute; when one process opens its breaker, the
// other one stops calling too.
import { CircuitBreaker, JobQueue, SharedBreakers } from '@elizaos/plugin-auton8n'

const [store] = process.argv.slice(2)
const queue = await JobQueue.open('example', store ? { store } : {})
const breaker = new CircuitBreaker('weather', { failureThreshold: 3, resetTimeout: 5_000, successThreshold: 1 })
for (const change of ['open', 'half-open', 'close']) breaker.on(change, () => console.log(`  breaker: ${change}`))
const shared = await SharedBreakers.share(queue, breaker, { onError: (error) => console.error(error.message) })

const service = async () => {
  if (Math.floor(Date.now() / 30_000) % 2 === 0) throw new Error('the service is down')
  return 'sunny'
}

const timer = setInterval(async () => {
  try {
    console.log(await breaker.execute(service))
  } catch (error) {
    console.log(error.code ?? error.message)
  }
}, 1_000)

process.once('SIGINT', async () => {
  clearInterval(timer)
  shared.stop()
  await queue.shutdown()
})
