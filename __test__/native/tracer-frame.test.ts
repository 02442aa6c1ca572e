import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OtlpExporter, Tracer, type AttributeValue } from '../../plugin/index.js'
import { seeded } from '../support/children.js'
import { receiver } from './tracer-receiver.js'

describe('spans that cross the border together', () => {
  let server: Awaited<ReturnType<typeof receiver>>
  beforeAll(async () => void (server = await receiver()))
  afterAll(() => server.close())

  it('arrive as they were, whatever names, lists, events and links they have', async () => {
    const random = seeded(20_261_125)
    const below = (most: number): number => Math.floor(random() * most)
    const text = (): string => ['', 'a', 'ä€\u{1F600}', '\0\n"', 'x'.repeat(below(200))][below(5)] ?? ''
    const value = (): AttributeValue =>
      [text(), below(1e6) - 5e5, random(), below(2) === 1, Array.from({ length: below(128) }, () => below(9)), [text(), text()]][
        below(6)
      ] ?? 0
    // More names than a frame keeps, and some that come again and again.
    const name = (): string => (below(2) === 0 ? `often ${below(5)}` : `seldom ${below(1e6)}`)
    const attributes = (most: number): Record<string, AttributeValue> =>
      Object.fromEntries(Array.from({ length: below(most) }, () => [name(), value()]))

    const tracer = new Tracer({ serviceName: 'frames', exporter: new OtlpExporter({ url: server.url }) })
    const made = Array.from({ length: 600 }, (_, number) => {
      const parent = tracer.startSpan('parent')
      const given = attributes(number % 50 === 0 ? 128 : 12)
      const events = Array.from({ length: below(4) }, () => ({ name: name(), attributes: attributes(4) }))
      const span = tracer.startSpan(name(), { ...(below(2) && { parent }), attributes: given })
      for (const event of events) span.addEvent(event.name, event.attributes)
      if (below(3) === 0) span.addLink({ context: parent.context })
      if (below(3) === 0) span.setStatus('error', text())
      span.end()
      return { span, given, events }
    })
    await tracer.shutdown()
    expect(tracer.getMetrics()).toMatchObject({ exported: 600, failed: 0, dropped: 0 })

    const got = new Map(server.spans().map((span) => [span.spanId, span]))
    expect(got.size).toBe(600)
    for (const { span, given, events } of made) {
      const arrived = got.get(span.context.spanId)
      expect(arrived?.name).toBe(span.name)
      expect(arrived?.traceId).toBe(span.context.traceId)
      expect(arrived?.parentSpanId).toBe(span.parentSpanId)
      expect(arrived?.attributes).toEqual(given)
      expect(arrived?.events).toEqual(events)
      expect(arrived?.links.map(({ spanId }) => spanId)).toEqual(span.rest?.links.map(({ context }) => context.spanId) ?? [])
      expect(arrived?.status.code).toBe(span.rest?.status?.code ?? 0)
    }
  })
})
