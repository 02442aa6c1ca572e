// Tried on each runtime by smoke.mjs: every part of the built package once. Its last line says what was seen.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const directory = process.argv[2]
const started = performance.now()
const auton8n = await import('../dist/index.js')
const imported = performance.now() - started
const { Auton8nError, CircuitBreaker, JobQueue, SecretsScanner, Tracer, openEngine } = auton8n

assert.equal(auton8n.default.name, 'auton8n')
assert.throws(() => new CircuitBreaker(''), (error) => error instanceof Auton8nError && error.code === 'AUTON8N_OPTION_INVALID')

const token = ['AIza', 'SyD3kQ9xW2Rt7Lm5Vb8NpHd4Jc6Fg1YsT0w'].join('')
assert.equal(new SecretsScanner().scanText(`const key = '${token}'`).found, true)

const breaker = new CircuitBreaker('smoke', { failureThreshold: 1, resetTimeout: 60_000 })
assert.equal(await breaker.execute(async () => 7), 7)
await assert.rejects(breaker.execute(() => Promise.reject(new TypeError('mine'))), TypeError)
await assert.rejects(breaker.execute(async () => 7), { code: 'AUTON8N_BREAKER_OPEN' })

const queue = await JobQueue.open('smoke', { dataDir: join(directory, 'queue') })
queue.registerHandler('double', (job) => job.data * 2)
const worker = queue.createWorker()
const ended = new Promise((resolve, reject) => {
  queue.on('completed', resolve)
  queue.on('failed', (event) => reject(new Error(event.message)))
})
await worker.start()
const { id } = await queue.addJob('double', 21)
await ended
assert.equal((await queue.getJob(id)).result, 42)
await worker.stop()
await queue.shutdown()

const spans = []
const tracer = new Tracer({
  serviceName: 'smoke',
  exporter: { export: async (batch) => void spans.push(...batch), shutdown: async () => {} },
})
await tracer.withSpan(tracer.startSpan('work'), async () => assert.ok(tracer.getActiveSpan()))
await tracer.shutdown()
assert.equal(spans.length, 1)

await assert.rejects(openEngine({ concurency: 1 }), { code: 'AUTON8N_OPTION_INVALID' })
const engine = await openEngine({ dataDir: join(directory, 'engine') })
const specification = JSON.parse(await readFile(new URL('../examples/weather.json', import.meta.url), 'utf8'))
const creation = await engine.createPlugin(specification)
const { report } = await creation.result()
assert.equal(report.verdict, 'passed')
await engine.close()

const runtime = process.versions.bun ? `Bun ${process.versions.bun}` : `Node ${process.versions.node}`
const passed = report.checks.filter(({ status }) => status === 'passed').length
console.log(`ok ${runtime}: import ${imported.toFixed(0)} ms; ${passed} checks by ${report.engine} (${report.isolation})`)
