import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OtlpExporter, Tracer } from '../../plugin/index.js'
import { startOteltap, withoutOteltap, type Tap, type TappedSpan } from '../support/oteltap.js'

const why = withoutOteltap()

describe.skipIf(why !== undefined)(`a receiver that others published${why === undefined ? '' : ` (left out: ${why})`}`, () => {
  let tap: Tap
  beforeAll(async () => {
    tap = await startOteltap()
  }, 60_000)
  afterAll(() => tap.stop())

  const spans = (): TappedSpan[] => tap.lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as TappedSpan)

  it('accepts everything that a span may say', async () => {
    const tracer = new Tracer({ serviceName: 'ours', exporter: new OtlpExporter({ url: tap.url }) })
    const parent = tracer.startSpan('parent')
    const attributes = { text: 'ä"', whole: -7, part: 0.5, yes: true, list: ['a', 'b'], empty: '' }
    const span = tracer.startSpan('child', { parent, kind: 'client', attributes, links: [{ context: parent.context }] })
    span.addEvent('seen', { n: 1 }).setStatus('error', 'broken').end()
    parent.end()
    await tracer.shutdown()
    expect(tracer.getMetrics()).toMatchObject({ exported: 2, failed: 0 })
    await expect.poll(() => spans().length).toBe(2)
    expect(spans().find(({ name }) => name === 'child')).toMatchObject({
      traceId: parent.context.traceId,
      parentSpanId: parent.context.spanId,
      attributes: [
        { key: 'text', value: { stringValue: 'ä"' } },
        { key: 'whole', value: { intValue: '-7' } },
        { key: 'part', value: { doubleValue: 0.5 } },
        { key: 'yes', value: { boolValue: true } },
        { key: 'list', value: { arrayValue: { values: [{ stringValue: 'a' }, { stringValue: 'b' }] } } },
        { key: 'empty', value: { stringValue: '' } },
      ],
      events: [{ name: 'seen' }],
      status: { message: 'broken', code: 2 },
    })
  })

  it('accepts many', async () => {
    const before = spans().length
    const tracer = new Tracer({ serviceName: 'ours', exporter: new OtlpExporter({ url: tap.url }) })
    for (let i = 0; i < 5_000; i++) tracer.startSpan('many').setAttribute('i', i).end()
    await tracer.shutdown()
    expect(tracer.getMetrics()).toMatchObject({ exported: 5_000, failed: 0 })
    await expect.poll(() => spans().length - before).toBe(5_000)
  })
})
