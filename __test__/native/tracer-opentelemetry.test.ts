import { describe, expect, it } from 'vitest'
import { Tracer, type SpanData } from '../../plugin/index.js'
import { activeTraceparent } from '../../plugin/api/tracer-active.js'

/** Installed with the development dependencies; where they were left out this is too, unless everything is required. */
const sdk = await import('@opentelemetry/sdk-trace-node').catch((error: unknown) => {
  if (process.env.AUTON8N_REQUIRE_ALL === '1') throw error
  return undefined
})
const api = await import('@opentelemetry/api')

describe.runIf(sdk)('beside the SDK of OpenTelemetry', () => {
  it('our spans are children of theirs and theirs of ours, through asynchronous calls', async () => {
    if (!sdk) return
    const theirs = new sdk.InMemorySpanExporter()
    const provider = new sdk.NodeTracerProvider({ spanProcessors: [new sdk.SimpleSpanProcessor(theirs)] })
    provider.register()
    const ours: SpanData[] = []
    const tracer = new Tracer({ serviceName: 'ours', exporter: { export: (spans) => void ours.push(...spans) } })
    const other = api.trace.getTracer('theirs')
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1))

    await other.startActiveSpan('theirs 1', async (outer) => {
      await pause()
      await tracer.withSpan(tracer.startSpan('ours 2'), async (span) => {
        await pause()
        expect(tracer.getActiveSpan()).toBe(span)
        expect(activeTraceparent()).toContain(span.context.spanId)
        api.trace.getActiveSpan()?.setAttribute('set.by', 'them').addEvent('seen', { a: 1 })
        await other.startActiveSpan('theirs 3', async (inner) => {
          await pause()
          tracer.startSpan('ours 4').end()
          const carrier: Record<string, string> = {}
          expect(tracer.inject(carrier).traceparent).toBe(`00-${inner.spanContext().traceId}-${inner.spanContext().spanId}-01`)
          inner.end()
        })
      })
      outer.end()
    })
    await tracer.shutdown()

    const [two, four] = ['ours 2', 'ours 4'].map((name) => ours.find((span) => span.name === name))
    const [one, three] = ['theirs 1', 'theirs 3'].map((name) =>
      theirs.getFinishedSpans().find((span) => span.name === name),
    )
    expect(two?.parentSpanId).toBe(one?.spanContext().spanId)
    expect(three?.parentSpanContext?.spanId).toBe(two?.spanId)
    expect(four?.parentSpanId).toBe(three?.spanContext().spanId)
    expect(new Set([two, four].map((span) => span?.traceId))).toEqual(new Set([one?.spanContext().traceId]))
    expect(three?.spanContext().traceId).toBe(one?.spanContext().traceId)
    expect(two).toMatchObject({ attributes: { 'set.by': 'them' }, events: [{ name: 'seen', attributes: { a: 1 } }] })
    await provider.shutdown()
    api.trace.disable()
    api.context.disable()
    api.propagation.disable()
  })

  it('a trace that they do not sample is not sampled by us', () => {
    if (!sdk) return
    const provider = new sdk.NodeTracerProvider({ sampler: new sdk.AlwaysOffSampler() })
    provider.register()
    const tracer = new Tracer({ serviceName: 'ours', exporter: { export: () => {} } })
    api.trace.getTracer('theirs').startActiveSpan('off', () => {
      expect(tracer.startSpan('ours').isRecording()).toBe(false)
    })
    api.trace.disable()
    api.context.disable()
    api.propagation.disable()
  })
})

describe('without OpenTelemetry', () => {
  it('nothing is registered and our spans are as they were', () => {
    const tracer = new Tracer({ serviceName: 'ours' })
    const span = tracer.startSpan('alone')
    tracer.withSpan(span, () => expect(tracer.startSpan('below').context.traceId).toBe(span.context.traceId))
    expect(tracer.startSpan('again').context.traceId).not.toBe(span.context.traceId)
  })
})

describe('an exporter in JavaScript', () => {
  it('gets spans without secrets, and the span of the program keeps its own', async () => {
    const secret = ['ghp', '1234567890abcdefghijklmnopqrstuvwxAB'].join('_')
    const got: SpanData[] = []
    const tracer = new Tracer({ serviceName: 'ours', exporter: { export: (spans) => void got.push(...spans) } })
    const span = tracer.startSpan(`ask ${secret}`, { attributes: { list: ['a', `b ${secret}`], count: 3, key: secret } })
    span.addEvent('said', { text: `it is ${secret}` }).setStatus('error', `not ${secret}`)
    span.end()
    await tracer.shutdown()
    expect(JSON.stringify(got)).not.toContain(secret)
    expect(got[0]).toMatchObject({ attributes: { count: 3, list: ['a', expect.stringMatching(/^b /)] }, status: { code: 2 } })
    expect(span.name).toContain(secret)
  })
})
