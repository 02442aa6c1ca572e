import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openEngine, OtlpExporter, Tracer, type Engine, type ModelFunction, type StoredTrace } from '../../plugin/index.js'
import { waterfall } from '../../plugin/cli/waterfall.js'
import { receiver, type ReceivedSpan } from '../native/tracer-receiver.js'
import { greetingSpecification } from '../support/greetingPlugin.js'
import { sandboxIsHere } from '../support/needs.js'

const sandbox = await sandboxIsHere()
const secret = ['ghp', '1234567890abcdefghijklmnopqrstuvwxAB'].join('_')
/** What the model itself traces. */
let own: Tracer | undefined
const model: ModelFunction = async () => {
  await new Promise((resolve) => setImmediate(resolve))
  own?.startSpan('of the model').end()
  return {
    text: 'no code',
    usage: { inputTokens: 700, outputTokens: 30 },
    finishReason: 'stop',
    model: `scripted ${secret}`,
  }
}

describe('a job is one trace', () => {
  let home: string
  let otlp: Awaited<ReturnType<typeof receiver>>
  let engine: Engine
  let spans: ReceivedSpan[]
  let ids: { asked: string; alone: string }
  let kept: { asked: StoredTrace; alone: StoredTrace }
  let caller: { traceId: string; spanId: string }

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'auton8n-trace-'))
    otlp = await receiver()
    engine = await openEngine({ dataDir: home, tracing: { url: otlp.url } })
    const tracer = new Tracer({ serviceName: 'caller' })
    own = new Tracer({ serviceName: 'model', exporter: new OtlpExporter({ url: otlp.url }) })
    const asked = await tracer.withSpan(tracer.startSpan('ask'), async (span) => {
      caller = span.context
      await new Promise((resolve) => setImmediate(resolve))
      return await engine.createPlugin(greetingSpecification, { model, metadata: { runId: 'run-7' } })
    })
    const alone = await engine.createPlugin(greetingSpecification, { generator: 'template' })
    ids = { asked: asked.id, alone: alone.id }
    await asked.finished()
    await alone.finished()
    kept = { asked: await engine.trace(asked.id), alone: await engine.trace(alone.id) }
    await engine.close()
    await own.shutdown()
    own = undefined
    spans = otlp.spans()
  }, 600_000)
  afterAll(async () => {
    await otlp.close()
    await rm(home, { recursive: true, force: true })
  })

  const ofTrace = (traceId: string): ReceivedSpan[] => spans.filter((span) => span.traceId === traceId)

  it('below the span of the caller, and linked to the run of the agent', () => {
    const root = ofTrace(caller.traceId).find((span) => span.name === 'create plugin')
    expect(root).toMatchObject({
      parentSpanId: caller.spanId,
      attributes: { 'auton8n.job.id': ids.asked, 'auton8n.job.attempt': 1, 'elizaos.run.id': 'run-7' },
      status: { code: 2 },
    })
  })

  it('with its model calls, as the conventions for generative models name them', () => {
    const trace = ofTrace(caller.traceId)
    const generate = trace.find((span) => span.name === 'generate')
    const call = trace.find((span) => span.attributes['gen_ai.operation.name'] === 'chat')
    expect(generate?.parentSpanId).toBe(trace.find((span) => span.name === 'create plugin')?.spanId)
    expect(call).toMatchObject({
      kind: 3,
      parentSpanId: generate?.spanId,
      attributes: {
        'gen_ai.request.max_tokens': 16_000,
        'gen_ai.usage.input_tokens': 700,
        'gen_ai.usage.output_tokens': 30,
        'gen_ai.response.finish_reasons': ['stop'],
      },
    })
    expect(call?.name).toMatch(/^chat scripted /)
  })

  it('that goes on in what the model does, on its way through the engine and back', () => {
    const trace = ofTrace(caller.traceId)
    const calls = trace.filter((span) => span.attributes['gen_ai.operation.name'] === 'chat').map(({ spanId }) => spanId)
    const inside = trace.filter((span) => span.name === 'of the model')
    expect(inside.map((span) => span.parentSpanId).sort()).toEqual(calls.sort())
    expect(inside.length).toBeGreaterThan(0)
  })

  it('of its own where nobody asked within one, named by the id of the job', () => {
    const trace = ofTrace(ids.alone.replaceAll('-', ''))
    const root = trace.find((span) => span.name === 'create plugin')
    expect(root?.parentSpanId).toBeUndefined()
    const stages = trace.filter((span) => span.parentSpanId === root?.spanId).map((span) => span.name)
    expect(stages.slice(0, 4)).toEqual(expect.arrayContaining(['validate', 'scan', 'generate', 'inspect']))
    if (!sandbox) return
    expect(stages).toEqual(expect.arrayContaining(['type-check', 'lint', 'build', 'test', 'boot', 'package']))
    const runs = trace.filter((span) => span.name === 'sandbox run')
    expect(runs).toHaveLength(5)
    for (const run of runs) {
      const stage = trace.find((span) => span.spanId === run.parentSpanId)?.name
      expect(stage).toMatch(/^(type-check|lint|build|test|boot)$/)
      // The judge may end the subject of a boot once it knows enough.
      expect(run.attributes['auton8n.sandbox.outcome']).toMatch(stage === 'boot' ? /^(exit|signal)$/ : /^exit$/)
      // The last test of a run has to fail.
      if (stage !== 'boot') expect(run.attributes['process.exit.code']).toBe(stage === 'test' ? 1 : 0)
    }
  })

  it('with the commits that its life hangs on', () => {
    for (const trace of [ofTrace(caller.traceId), ofTrace(ids.alone.replaceAll('-', ''))]) {
      const root = trace.find((span) => span.name === 'create plugin')
      const [added, finished] = ['store add', 'store finish'].map((name) => trace.find((span) => span.name === name))
      for (const span of [added, finished]) {
        expect(span).toMatchObject({ kind: 3, attributes: { 'db.system.name': 'sqlite' } })
        expect(span?.parentSpanId).toBe(root?.parentSpanId)
      }
      expect(added?.attributes['db.operation.name']).toBe('add')
      expect(Number(added?.start)).toBeLessThanOrEqual(Number(root?.start))
      expect(Number(finished?.start)).toBeGreaterThanOrEqual(Number(root?.end))
      expect(finished?.attributes['auton8n.job.outcome']).toMatch(/^(failed|completed)$/)
    }
  })

  it('that is kept in the data directory as it was sent, without secrets', async () => {
    const names = (list: { name: string }[]): string[] => list.map(({ name }) => name).sort()
    expect(kept.asked.traceId).toBe(caller.traceId)
    const ofEngine = ofTrace(caller.traceId).filter((span) => span.name !== 'of the model')
    expect(names(kept.asked.spans)).toEqual(names(ofEngine))
    expect(names(kept.alone.spans)).toEqual(names(ofTrace(ids.alone.replaceAll('-', ''))))
    for (const file of await readdir(join(home, 'traces'))) {
      expect(await readFile(join(home, 'traces', file), 'utf8')).not.toContain(secret)
    }
    expect(JSON.stringify(spans, (_key, value: unknown) => String(value))).not.toContain(secret)
  })

  it('that is drawn in time, parents before children', () => {
    const lines = waterfall(kept.asked)
    expect(lines[0]).toContain(caller.traceId)
    const at = (text: string): number => lines.findIndex((line) => line.includes(text))
    expect(at('create plugin')).toBeLessThan(at('  generate'))
    expect(at('  generate')).toBeLessThan(at('    chat'))
    expect(lines[at('    chat')]).toMatch(/│ *█+ *│ .*input_tokens=700 output_tokens=30 finish_reasons=stop/)
  })

  it('that is found by its own id too, and a strange id is told', async () => {
    const again = await openEngine({ dataDir: home })
    try {
      expect(await again.trace(caller.traceId)).toEqual(kept.asked)
      expect((await again.trace('f'.repeat(32))).spans).toEqual([])
      for (const id of ['', 'nothing', '0'.repeat(32), '../../etc/passwd']) {
        await expect(again.trace(id)).rejects.toMatchObject({ code: expect.stringMatching(/JOB_NOT_FOUND|OPTION_INVALID/) })
      }
    } finally {
      await again.close()
    }
  })
})

describe('tracing of an engine', () => {
  it('can be switched off, in whole or on the disk', async () => {
    for (const tracing of [false, { file: false }] as const) {
      const dataDir = await mkdtemp(join(tmpdir(), 'auton8n-untraced-'))
      const engine = await openEngine({ dataDir, tracing, sandbox: false })
      try {
        const creation = await engine.createPlugin(greetingSpecification, { model, generator: 'model' })
        await creation.finished()
        expect((await engine.trace(creation.id)).spans).toEqual([])
        expect(await readdir(dataDir)).not.toContain('traces')
      } finally {
        await engine.close()
        await rm(dataDir, { recursive: true, force: true })
      }
    }
  })
})

describe('a waterfall', () => {
  it('obeys nothing that a span says, and ends though spans are each other’s parents', () => {
    const span = { startTime: 1, duration: 1, attributes: { 'error.type': 'a\u001b[31m\nb' }, events: [] }
    const lines = waterfall({
      traceId: 'x',
      spans: [
        { ...span, spanId: 'a', name: '\u001b[2Jroot\u202e' },
        { ...span, spanId: 'b', parentSpanId: 'c', name: 'b' },
        { ...span, spanId: 'c', parentSpanId: 'b', name: 'c' },
      ],
    })
    for (const evil of ['\u001b', '\u202e']) expect(lines.join('')).not.toContain(evil)
    expect(lines.some((line) => line.includes('root'))).toBe(true)
  })
})
