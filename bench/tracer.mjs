// node --expose-gc bench/tracer.mjs: tracing beside OpenTelemetry's JavaScript SDK in one run, medians of five rounds.
import { createServer } from 'node:http'
import { Worker, isMainThread, parentPort } from 'node:worker_threads'
import { medians, ours, peers, perCall, perStep, table } from './peers.mjs'

if (!isMainThread) {
  // The receiver has a thread of its own, so that it does not take part in what is measured.
  let bytes = 0
  const server = createServer((request, response) => {
    request.on('data', (chunk) => (bytes += chunk.length))
    request.on('end', () => response.writeHead(200).end())
  })
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's port has no origin
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
} else {
  const { Tracer, OtlpExporter, ProbabilitySampler } = await ours('api/tracer.js')
  const [api, sdk, hooks, proto] = await peers([
    '@opentelemetry/api',
    '@opentelemetry/sdk-trace-base',
    '@opentelemetry/context-async-hooks',
    '@opentelemetry/exporter-trace-otlp-proto',
  ])
  const worker = new Worker(new URL(import.meta.url))
  const port = await new Promise((resolve) => worker.once('message', resolve))
  const url = `http://127.0.0.1:${port}/v1/traces`
  const COUNT = Number(process.env.COUNT ?? 50_000)
  api.context.setGlobalContextManager(new hooks.AsyncLocalStorageContextManager().enable())

  const silent = { export: async () => {}, shutdown: async () => {} }
  const silentOtel = { export: (_, done) => done({ code: 0 }), shutdown: async () => {}, forceFlush: async () => {} }
  const otel = (exporter, sampler) => {
    const processor = new sdk.BatchSpanProcessor(exporter, { maxQueueSize: 100_000 })
    const provider = new sdk.BasicTracerProvider({ spanProcessors: [processor], ...(sampler && { sampler }) })
    return {
      tracer: provider.getTracer('bench'),
      flush: () => provider.forceFlush(),
      shutdown: () => provider.shutdown(),
    }
  }
  const our = (options) => new Tracer({ serviceName: 'bench', batch: { maxQueue: 1_000_000 }, ...options })

  // One function for each maker: shared, the engine would compile it for both and favour neither.
  const ourSpan = (tracer) => (i) => {
    const started = tracer.startSpan('operation')
    started.setAttribute('http.method', 'GET')
    started.setAttribute('http.status', i)
    started.setAttribute('cached', true)
    started.end()
  }
  const otelSpan = (tracer) => (i) => {
    const started = tracer.startSpan('operation')
    started.setAttribute('http.method', 'GET')
    started.setAttribute('http.status', i)
    started.setAttribute('cached', true)
    started.end()
  }
  const rows = {}
  const add = async (name, cases) => (rows[name] = await medians(cases))

  const stepped = async (step, flush) => {
    const ns = perStep(COUNT, step)
    await flush()
    return ns
  }
  const script = our({ exporter: silent })
  const otelSilent = otel(silentOtel)
  await add('span with 3 attributes, exporter in JavaScript that does nothing, ns', {
    ours: () => stepped(ourSpan(script), () => script.flush()),
    opentelemetry: () => stepped(otelSpan(otelSilent.tracer), otelSilent.flush),
  })
  const otlp = our({ exporter: new OtlpExporter({ url }) })
  const otelOtlp = otel(new proto.OTLPTraceExporter({ url, concurrencyLimit: 1_000 }))
  await add('span with 3 attributes for OTLP, on the JavaScript thread, ns', {
    ours: () => stepped(ourSpan(otlp), () => otlp.flush()),
    opentelemetry: () => stepped(otelSpan(otelOtlp.tracer), otelOtlp.flush),
  })
  const whole = async (step, flush) => {
    const start = performance.now()
    for (let i = 0; i < COUNT; i++) step(i)
    await flush()
    return COUNT / ((performance.now() - start) / 1_000)
  }
  await add('spans a second into a local OTLP receiver, protobuf', {
    ours: () => whole(ourSpan(otlp), () => otlp.flush()),
    opentelemetry: () => whole(otelSpan(otelOtlp.tracer), otelOtlp.flush),
  })
  const none = our({ exporter: silent, sampler: new ProbabilitySampler(0) })
  const otelNone = otel(silentOtel, new sdk.AlwaysOffSampler())
  await add('unsampled span, ns', {
    ours: () => perStep(COUNT, ourSpan(none)),
    opentelemetry: () => perStep(COUNT, otelSpan(otelNone.tracer)),
  })
  const nest = (tracer) => () =>
    tracer.withSpan(tracer.startSpan('a'), async () => {
      await tracer.withSpan(tracer.startSpan('b'), async () => {
        await tracer.withSpan(tracer.startSpan('c'), async () => {})
      })
    })
  const nestOtel = (tracer) => {
    const inside = (name, fn) =>
      tracer.startActiveSpan(name, async (started) => {
        await fn()
        started.end()
      })
    return () => inside('a', () => inside('b', () => inside('c', async () => {})))
  }
  const nested = async (call, flush) => {
    const ns = await perCall(COUNT / 5, call)
    await flush()
    return ns
  }
  await add('three nested spans over async context for OTLP, ns', {
    ours: () => nested(nest(otlp), () => otlp.flush()),
    opentelemetry: () => nested(nestOtel(otelOtlp.tracer), otelOtlp.flush),
  })
  await add('three nested spans over async context, exporter in JavaScript, ns', {
    ours: () => nested(nest(script), () => script.flush()),
    opentelemetry: () => nested(nestOtel(otelSilent.tracer), otelSilent.flush),
  })
  // The loop is never free, so nothing leaves until all have ended. Both have the queues that they come with.
  const burst = async (step, flush, arrived) => {
    const before = arrived()
    for (let i = 0; i < 100_000; i++) step(i)
    await flush()
    return arrived() - before
  }
  const common = new Tracer({ serviceName: 'bench', exporter: new OtlpExporter({ url }) })
  let sent = 0
  const counting = new proto.OTLPTraceExporter({ url, concurrencyLimit: 1_000 })
  const exporting = counting.export.bind(counting)
  counting.export = (spans, done) =>
    exporting(spans, (result) => {
      if (result.code === 0) sent += spans.length
      done(result)
    })
  const usual = new sdk.BasicTracerProvider({ spanProcessors: [new sdk.BatchSpanProcessor(counting)] })
  await add('arrived of 100,000 spans of a loop that is never free', {
    ours: () => burst(ourSpan(common), () => common.flush(), () => common.getMetrics().exported),
    opentelemetry: () => burst(otelSpan(usual.getTracer('bench')), () => usual.forceFlush(), () => sent),
  })
  const headers = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'a=1' }
  await add('extract from headers, ns', { ours: () => perStep(COUNT, () => script.extract(headers)) })

  table('Tracing', ['ours', 'opentelemetry'], rows)
  console.log(`\n${JSON.stringify(otlp.getMetrics())}; Node ${process.version}`)
  await worker.terminate()
  process.exit(0)
}
