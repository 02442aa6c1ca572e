import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import {
  carryTracestate,
  formatBaggage,
  formatTraceparent,
  parseBaggage,
  parseTraceparent,
} from '../../plugin/api/tracer-context.js'
import {
  AlwaysSampler,
  ConsoleExporter,
  OtlpExporter,
  ParentBasedSampler,
  ProbabilitySampler,
  RateLimitingSampler,
  SpanKind,
  SpanStatusCode,
  Tracer,
  type SpanData,
} from '../../plugin/api/tracer.js'
import { cpuTime } from '../support/cpuTime.js'
import { eventually } from '../support/eventually.js'

interface Vector {
  header: string
  sent: string | null
}
const vectors = JSON.parse(readFileSync(new URL('./tracer-w3c.json', import.meta.url), 'utf8')) as Record<
  string,
  Vector[]
>
const invalid = expect.objectContaining({ code: 'AUTON8N_OPTION_INVALID' })

function memory() {
  const spans: SpanData[] = []
  const batches: number[] = []
  const exporter = {
    export: async (batch: readonly SpanData[]) => {
      batches.push(batch.length)
      spans.push(...batch)
    },
    shutdown: vi.fn(async () => {}),
  }
  return { spans, batches, exporter }
}

function setup(options = {}) {
  const sink = memory()
  return { ...sink, tracer: new Tracer({ serviceName: 'test', exporter: sink.exporter, ...options }) }
}

describe('W3C headers', () => {
  it.each(vectors.traceparent ?? [])('traceparent $header', ({ header, sent }) => {
    const context = parseTraceparent(header)
    expect(context ? formatTraceparent(context) : null).toBe(sent)
  })
  it.each(vectors.tracestate ?? [])('tracestate $header', ({ header, sent }) =>
    expect(carryTracestate(header)).toBe(sent),
  )
  it.each(vectors.baggage ?? [])('baggage $header', ({ header, sent }) => {
    expect(formatBaggage(parseBaggage(header) ?? {})).toBe(sent)
  })

  it('stay within their bounds and cost no time, whatever comes', () => {
    const spent = cpuTime()
    for (const header of [
      'a'.repeat(1e6),
      '='.repeat(1e6),
      ','.repeat(1e6),
      'a=1,'.repeat(2e5),
      '%'.repeat(1e6),
      ' '.repeat(1e6),
      `a=b${' '.repeat(60_000)}c`,
      `a=b,${'\t '.repeat(8_000)}c=d`,
    ]) {
      expect(parseTraceparent(header)).toBeUndefined()
      expect(carryTracestate(header).length).toBeLessThanOrEqual(512)
      expect(formatBaggage(parseBaggage(header) ?? {}).length).toBeLessThanOrEqual(8_192)
    }
    expect(spent()).toBeLessThan(2_000)
  })
})

describe('a tracer', () => {
  it('hands everything said about a span to an exporter', async () => {
    const { tracer, spans } = setup({ serviceVersion: '1', environment: 'prod' })
    const other = tracer.startSpan('other')
    const span = tracer.startSpan('call', {
      kind: SpanKind.CLIENT,
      attributes: { a: 1, none: undefined },
      links: [{ context: other.context, attributes: { why: 'x' } }],
    })
    expect(span.context).toMatchObject({
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
      flags: 1,
    })
    span
      .setAttribute('a', 2)
      .setAttributes({ b: 'x', c: true, d: [1, 2] })
      .addEvent('line', { n: 1 })
    span.recordException(new TypeError('bad')).setStatus({ code: SpanStatusCode.ERROR, message: 'bad' })
    await sleep(5)
    span.end()
    span.setAttribute('late', 1).end()
    await tracer.flush()
    expect(spans).toHaveLength(1)
    const [got] = spans as [SpanData]
    expect(got).toMatchObject({
      name: 'call',
      kind: 2,
      traceId: span.context.traceId,
      status: { code: 2, message: 'bad' },
      attributes: { a: 2, b: 'x', c: true, d: [1, 2] },
      links: [{ context: other.context, attributes: { why: 'x' } }],
      resource: { 'service.name': 'test', 'service.version': '1', 'deployment.environment.name': 'prod' },
    })
    expect(got.events.map((event) => event.name)).toEqual(['line', 'exception'])
    expect(got.events[1]?.attributes).toMatchObject({ 'exception.type': 'TypeError', 'exception.message': 'bad' })
    expect(got.duration).toBeGreaterThan(3)
    expect(Math.abs(got.startTime - Date.now())).toBeLessThan(5_000)
    expect(got.attributes).not.toHaveProperty('late')
  })

  it('keeps the active span through promises, timers and callbacks, and side by side', async () => {
    const { tracer, spans } = setup()
    const run = (name: string) =>
      tracer.withSpan(tracer.startSpan(name), async (span) => {
        await sleep(2)
        expect(tracer.getActiveSpan()).toBe(span)
        await new Promise<void>((resolve) => setTimeout(() => setImmediate(() => process.nextTick(resolve)), 1))
        tracer.startSpan(`${name}.child`).end()
        return name
      })
    expect(await Promise.all(['a', 'b', 'c'].map(run))).toEqual(['a', 'b', 'c'])
    expect(tracer.getActiveSpan()).toBeUndefined()
    await tracer.flush()
    for (const name of ['a', 'b', 'c']) {
      const parent = spans.find((span) => span.name === name)
      expect(spans.find((span) => span.name === `${name}.child`)).toMatchObject({
        traceId: parent?.traceId,
        parentSpanId: parent?.spanId,
      })
    }
    expect(new Set(spans.map((span) => span.traceId)).size).toBe(3)
  })

  it('records a throw and passes the same error on, asynchronous or not', async () => {
    const { tracer, spans } = setup()
    const error = new Error('mine')
    expect(() =>
      tracer.withSpan(tracer.startSpan('sync'), () => {
        throw error
      }),
    ).toThrow(error)
    await expect(
      tracer.withSpan(tracer.startSpan('async'), async () => {
        throw error
      }),
    ).rejects.toBe(error)
    expect(tracer.withSpan(tracer.startSpan('fine'), () => 5)).toBe(5)
    await tracer.flush()
    expect(spans.map((span) => [span.name, span.status.code, span.events.length])).toEqual([
      ['sync', 2, 1],
      ['async', 2, 1],
      ['fine', 0, 0],
    ])
  })

  it('passes hostile errors on as they are', async () => {
    const { tracer, spans } = setup()
    const trap = () => {
      throw new Error('trap')
    }
    const hostile = new Proxy({}, { get: trap, getPrototypeOf: trap })
    for (const error of [hostile, Object.create(null), null, undefined, Symbol('x'), 5n]) {
      const [thrown] = await tracer
        .withSpan(tracer.startSpan('x'), async () => {
          throw error
        })
        .then(
          () => ['nothing'],
          (caught: unknown) => [caught],
        )
      expect(Object.is(thrown, error)).toBe(true)
    }
    await tracer.flush()
    expect(spans).toHaveLength(6)
  })

  it('carries a trace through headers, in any case and kind of carrier', () => {
    const { tracer } = setup()
    const span = tracer.startSpan('out').setBaggage('user', 'Jürgen M').setBaggage('__proto__', 'x')
    const carrier = tracer.inject({ Traceparent: 'old' } as Record<string, string>, span)
    expect(carrier).toEqual({
      traceparent: `00-${span.context.traceId}-${span.context.spanId}-01`,
      baggage: expect.stringContaining('user=J%C3%BCrgen%20M'),
    })
    const shouted = Object.fromEntries(Object.entries(carrier).map(([key, value]) => [key.toUpperCase(), value]))
    for (const from of [carrier, shouted, new Headers(carrier), new Map(Object.entries(shouted))]) {
      const context = tracer.extract(from)
      expect(context).toMatchObject({
        traceId: span.context.traceId,
        spanId: span.context.spanId,
        flags: 1,
        remote: true,
      })
      const child = tracer.startSpan('in', { parent: context ?? null })
      expect(child.context.traceId).toBe(span.context.traceId)
      expect(child.getBaggage('user')).toBe('Jürgen M')
    }
    const headers = tracer.inject(new Headers(), span)
    expect(headers.get('traceparent')).toBe(carrier.traceparent)
    tracer.withSpan(span, () =>
      expect(tracer.inject(new Map<string, string>()).get('traceparent')).toBe(carrier.traceparent),
    )
    expect(tracer.inject({})).toEqual({})
  })

  it('carries the state of other tracers and reads nothing from wrong headers', () => {
    const { tracer } = setup()
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const context = tracer.extract({ traceparent, tracestate: ['a=1', 'b=2'] })
    expect(tracer.inject({}, tracer.startSpan('x', { parent: context ?? null }))).toMatchObject({
      tracestate: 'a=1,b=2',
    })
    for (const carrier of [
      {},
      { traceparent: 5 },
      { traceparent: [traceparent, traceparent] },
      null,
      undefined,
      'x',
      { traceparent: 'x' },
    ]) {
      expect(tracer.extract(carrier as never)).toBeUndefined()
    }
    expect(tracer.startSpan('x', { parent: { traceId: 'x', spanId: 'y', flags: 1 } }).parentSpanId).toBeUndefined()
  })

  it('samples as asked, and carries the decision on', async () => {
    const count = async (sampler: unknown, parent?: { traceId: string; spanId: string; flags: number }) => {
      const { tracer, spans } = setup({ sampler })
      for (let i = 0; i < 1_000; i++) tracer.startSpan('x', { parent: parent ?? null }).end()
      await tracer.flush()
      return spans.length
    }
    const parent = (flags: number) => ({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags })
    expect(await count(new AlwaysSampler())).toBe(1_000)
    expect(await count(new ProbabilitySampler(0))).toBe(0)
    expect(await count(new ProbabilitySampler(1))).toBe(1_000)
    const half = await count(new ProbabilitySampler(0.5))
    expect(half).toBeGreaterThan(400)
    expect(half).toBeLessThan(600)
    expect(await count(new RateLimitingSampler(1, 7))).toBe(7)
    expect(await count(new ParentBasedSampler(new ProbabilitySampler(0)), parent(1))).toBe(1_000)
    expect(await count(new ParentBasedSampler(new AlwaysSampler()), parent(0))).toBe(0)
    const { tracer } = setup({ sampler: new ProbabilitySampler(0) })
    expect(tracer.inject({}, tracer.startSpan('x'))).toMatchObject({ traceparent: expect.stringMatching(/-00$/) })
  })

  it('exports by size and by interval, one batch at a time, and the rest at shutdown', async () => {
    const { tracer, batches, exporter } = setup({ batch: { maxSize: 3, interval: 20 } })
    for (let i = 0; i < 7; i++) tracer.startSpan('x').end()
    await eventually(() => expect(batches).toEqual([3, 3, 1]))
    tracer.startSpan('x').end()
    await eventually(() => expect(batches).toEqual([3, 3, 1, 1]))
    tracer.startSpan('x').end()
    await Promise.all([tracer.shutdown(), tracer.shutdown()])
    expect(batches).toEqual([3, 3, 1, 1, 1])
    expect(exporter.shutdown).toHaveBeenCalledTimes(1)
    tracer.startSpan('late').end()
    expect(tracer.getMetrics()).toEqual({ started: 10, ended: 10, exported: 9, dropped: 1, failed: 0 })
  })

  it('counts what an exporter fails to take and what has no room', async () => {
    const exporter = {
      export: vi.fn(() => {
        throw new Error('no disk')
      }),
      shutdown: async () => {},
    }
    const tracer = new Tracer({ serviceName: 'x', exporter, batch: { maxQueue: 2, maxSize: 10 } })
    for (let i = 0; i < 5; i++) tracer.startSpan('x').end()
    await tracer.flush()
    expect(tracer.getMetrics()).toEqual({
      started: 5,
      ended: 5,
      exported: 0,
      dropped: 3,
      failed: 2,
      lastError: 'no disk',
    })
  })

  it('says so when a flush takes too long', async () => {
    const tracer = new Tracer({ serviceName: 'x', exporter: { export: () => new Promise(() => {}) } })
    tracer.startSpan('x').end()
    await expect(tracer.flush(20)).rejects.toMatchObject({ code: 'AUTON8N_TIMEOUT' })
  })

  it('bounds a span and counts what it drops', async () => {
    const { tracer, spans } = setup()
    const span = tracer.startSpan('n'.repeat(1e6))
    for (let i = 0; i < 200; i++)
      span.setAttribute(`k${i}`, 'v'.repeat(50_000)).addEvent('e').addLink({ context: span.context })
    span.addLink({ context: null as never }).end()
    await tracer.flush()
    expect(spans[0]).toMatchObject({ dropped: { attributes: 72, events: 72, links: 73 } })
    expect(spans[0]?.name).toHaveLength(16_384)
    expect(spans[0]?.attributes.k0).toHaveLength(16_384)
  })

  it('writes lines to a console', async () => {
    const lines: string[] = []
    const tracer = new Tracer({ serviceName: 'x', exporter: new ConsoleExporter((line) => lines.push(line)) })
    tracer.startSpan('hello', { attributes: { a: 1 } }).end()
    await tracer.shutdown()
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { name: 'hello', attributes: { a: 1 }, status: { code: 0 } },
    ])
  })

  it('refuses wrong options', () => {
    const good = { serviceName: 'x' }
    for (const options of [
      undefined,
      null,
      {},
      { serviceName: 5 },
      { serviceName: '' },
      { ...good, sampler: {} },
      { ...good, exporter: {} },
      { ...good, batch: 5 },
      { ...good, batch: { maxSize: 0 } },
      { ...good, batch: { size: 1 } },
      { ...good, serviceVersion: 1 },
      { ...good, exporters: [] },
    ])
      expect(() => new Tracer(options as never)).toThrow(invalid)
    for (const options of [
      undefined,
      {},
      { url: 5 },
      { url: 'localhost:4318' },
      { url: 'ftp://x' },
      { url: 'http://x', protocol: 'grpc' },
      { url: 'http://x', header: {} },
      { url: 'http://x', headers: { 'a b': 'c' } },
      { url: 'http://x', headers: { a: 'b\r\nc: d' } },
      { url: 'http://x', timeout: 0 },
    ])
      expect(() => new OtlpExporter(options as never)).toThrow(invalid)
    expect(() => new ProbabilitySampler(2)).toThrow(invalid)
    expect(() => new RateLimitingSampler(-1)).toThrow(invalid)
    expect(() => new RateLimitingSampler(1, 0)).toThrow(invalid)
    expect(() => new ParentBasedSampler({} as never)).toThrow(invalid)
    const { tracer } = setup()
    expect(() => tracer.startSpan(5 as never)).toThrow(invalid)
    expect(() => tracer.startSpan('x', { kind: 9 as never })).toThrow(invalid)
    expect(() => tracer.withSpan({} as never, () => 1)).toThrow(invalid)
    expect(() => tracer.startSpan('x').setStatus('fine' as never)).toThrow(invalid)
    expect(() => tracer.startSpan('x').setBaggage('no token', 'x')).toThrow(invalid)
    expect(() => tracer.inject(null as never)).toThrow(invalid)
  })
})
