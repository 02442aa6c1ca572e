import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { OtlpExporter, Tracer, type OtlpExporterOptions } from '../../plugin/api/tracer.js'
import { compiled } from './breaker-compiled.js'
import { receiver } from './tracer-receiver.js'

const open: { close(): Promise<void> }[] = []
let built = ''
beforeAll(async () => void (built = await compiled()))
afterAll(() => rm(built, { recursive: true, force: true }))

afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

async function started(...options: Parameters<typeof receiver>) {
  const server = await receiver(...options)
  open.push(server)
  return server
}

function tracerFor(url: string, options: Partial<OtlpExporterOptions> = {}, batch = {}) {
  return new Tracer({
    serviceName: 'svc',
    serviceVersion: '2',
    environment: 'test',
    exporter: new OtlpExporter({ url, ...options }),
    batch,
  })
}

describe('OTLP', () => {
  it.each([
    ['protobuf', 'none'],
    ['http/protobuf', 'gzip'],
    ['json', 'gzip'],
    ['http/json', 'none'],
  ] as const)('carries everything as %s with compression %s', async (protocol, compression) => {
    const server = await started()
    const tracer = tracerFor(server.url, { protocol, compression, headers: { 'x-key': 'k' } })
    const parent = tracer.startSpan('parent')
    const span = tracer.startSpan('child "ü" \u{1F600} \ud800', {
      parent,
      kind: 'client',
      links: [{ context: parent.context }],
      attributes: {
        text: 'ä"\n',
        whole: -7,
        large: 2 ** 53 - 1,
        part: 0.5,
        yes: true,
        no: false,
        empty: '',
        list: ['a', 'b'],
        numbers: [1, 2.5],
      },
    })
    span.addEvent('event', { n: 1 }).setStatus('error', 'broken').end()
    parent.end()
    await tracer.shutdown()
    const [request] = server.requests
    expect(request?.url).toBe('/v1/traces')
    expect(request?.headers['x-key']).toBe('k')
    expect(request?.resource).toMatchObject({
      'service.name': 'svc',
      'service.version': '2',
      'deployment.environment.name': 'test',
    })
    const [got, above] = server.spans()
    expect(got).toMatchObject({
      traceId: parent.context.traceId,
      spanId: span.context.spanId,
      parentSpanId: parent.context.spanId,
      kind: 3,
      flags: 1,
      name: 'child "ü" \u{1F600} \ufffd',
      attributes: {
        text: 'ä"\n',
        whole: -7,
        large: 2 ** 53 - 1,
        part: 0.5,
        yes: true,
        no: false,
        empty: '',
        list: ['a', 'b'],
        numbers: [1, 2.5],
      },
      events: [{ name: 'event', attributes: { n: 1 } }],
      links: [{ traceId: parent.context.traceId, spanId: parent.context.spanId }],
      status: { code: 2, message: 'broken' },
    })
    expect(above?.parentSpanId).toBeUndefined()
    expect(Number(got?.start ?? 0n) / 1e6).toBeCloseTo(span.startTime, 1)
    expect(got && got.end >= got.start).toBe(true)
    expect(tracer.getMetrics()).toEqual({ started: 2, ended: 2, exported: 2, dropped: 0, failed: 0 })
  })

  it('loses nothing of a burst while the loop is never free', async () => {
    const server = await started()
    const tracer = tracerFor(server.url)
    for (let i = 0; i < 100_000; i++) tracer.startSpan('burst').setAttribute('i', i).end()
    await tracer.flush()
    expect(tracer.getMetrics()).toMatchObject({ ended: 100_000, exported: 100_000, dropped: 0, failed: 0 })
    expect(new Set(server.spans().map((span) => span.attributes.i)).size).toBe(100_000)
    await tracer.shutdown()
  })

  it('exports by itself at the interval', async () => {
    const server = await started()
    const tracer = tracerFor(server.url, {}, { interval: 20 })
    tracer.startSpan('x').end()
    await expect.poll(() => server.spans().length).toBe(1)
    await tracer.shutdown()
  })

  it('sends again to a busy receiver', async () => {
    const server = await started((index) => (index === 0 ? 503 : index === 1 ? 429 : 200), { 'retry-after': '0' })
    const tracer = tracerFor(server.url)
    tracer.startSpan('x').end()
    await tracer.flush()
    expect(server.asked()).toBe(3)
    expect(tracer.getMetrics()).toMatchObject({ exported: 1, failed: 0 })
    await tracer.shutdown()
  })

  it('counts what is refused, and ends in time where nobody listens', async () => {
    const refusing = await started(() => 401)
    const refused = tracerFor(refusing.url)
    refused.startSpan('x').end()
    await refused.flush()
    expect(refused.getMetrics()).toMatchObject({ exported: 0, failed: 1, lastError: expect.stringContaining('401') })

    const probe = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => probe.once('listening', resolve))
    const port = (probe.address() as { port: number }).port
    await new Promise((resolve) => probe.close(resolve))
    const tracer = tracerFor(`http://127.0.0.1:${port}`)
    tracer.startSpan('x').end()
    const before = performance.now()
    await tracer.shutdown(300)
    expect(performance.now() - before).toBeLessThan(8_000)
    await expect.poll(() => tracer.getMetrics()).toMatchObject({ exported: 0, failed: 1 })
  })

  it('gives a receiver that never answers so long for each request, and asks again', async () => {
    let asked = 0
    const hanging = createServer((socket) => {
      asked++
      socket.on('error', () => {})
    }).listen(0, '127.0.0.1')
    await once(hanging, 'listening')
    const tracer = tracerFor(`http://127.0.0.1:${(hanging.address() as { port: number }).port}`, { timeout: 100 })
    tracer.startSpan('x').end()
    const before = performance.now()
    await expect(tracer.flush(1_500)).rejects.toMatchObject({ code: 'AUTON8N_TIMEOUT' })
    expect(performance.now() - before).toBeLessThan(8_000)
    expect(asked).toBeGreaterThan(1)
    expect(tracer.getMetrics().lastError).toContain('could not be reached')
    await tracer.shutdown(1)
    hanging.close()
  })

  it('drops and counts under overload instead of growing', async () => {
    const server = await started()
    const tracer = tracerFor(server.url, {}, { maxQueue: 512, maxSize: 256 })
    for (let i = 0; i < 50_000; i++) tracer.startSpan('x').end()
    await tracer.flush()
    const { ended, exported, dropped } = tracer.getMetrics()
    expect(dropped).toBeGreaterThan(0)
    expect(exported + dropped).toBe(ended)
    await tracer.shutdown()
  })

  it.each([
    ['returning from main', '', 0],
    ['process.exit', 'process.exit(3)', 3],
    ['an uncaught exception', 'throw new Error("boom")', 1],
  ])('loses nothing at %s', async (_, ending, code) => {
    const server = await started()
    const program = `
      import { Tracer, OtlpExporter } from ${JSON.stringify(join(built, 'dist/api/tracer.js'))}
      const tracer = new Tracer({ serviceName: 'exit', exporter: new OtlpExporter({ url: ${JSON.stringify(server.url)} }) })
      for (let i = 0; i < 1000; i++) tracer.startSpan('x').setAttribute('i', i).end()
      ${ending}`
    const result = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      timeout: 60_000,
    }).then(
      () => ({ code: 0 }),
      (error: { code: number }) => ({ code: error.code }),
    )
    expect(result.code).toBe(code)
    expect(server.spans()).toHaveLength(1_000)
  })

  it.each([
    ['by the signal where nobody else listens', '', null, 'SIGTERM'],
    ['as the program decides', "process.on('SIGTERM', () => process.exit(7))", 7, null],
  ])('loses nothing at SIGTERM with its hook, and the process ends %s', async (_, listener, code, signal) => {
    const server = await started()
    const program = `
      import { Tracer, OtlpExporter } from ${JSON.stringify(join(built, 'dist/api/tracer.js'))}
      const exporter = new OtlpExporter({ url: ${JSON.stringify(server.url)} })
      const tracer = new Tracer({ serviceName: 'exit', exporter, flushOnSigterm: true })
      ${listener}
      for (let i = 0; i < 1000; i++) tracer.startSpan('x').setAttribute('i', i).end()
      setInterval(() => {}, 1000)
      process.kill(process.pid, 'SIGTERM')`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' })
    expect(await once(child, 'exit')).toEqual([code, signal])
    expect(server.spans()).toHaveLength(1_000)
  })

  it('waits as long as a date of HTTP says before it sends again', async () => {
    const date = new Date(Date.now() + 2_000).toUTCString()
    const server = await started((index) => (index === 0 ? 503 : 200), { 'retry-after': date })
    const tracer = tracerFor(server.url)
    const began = Date.now()
    tracer.startSpan('late').end()
    await tracer.shutdown(20_000)
    expect(server.spans()).toHaveLength(1)
    // Dates have whole seconds, so up to one of the two is lost.
    expect(Date.now() - began).toBeGreaterThan(850)
  })
})
