import { readFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatBaggage, parseBaggage } from '../../plugin/api/tracer-context.js'
import { Tracer } from '../../plugin/index.js'

interface Case {
  /** The name of the test in `test/test.py` of github.com/w3c/trace-context, which sends these headers. */
  case: string
  headers: [string, string][]
  /** Whether the service goes on with the trace of the request or begins another one. */
  trace: 'kept' | 'new'
  /** The `tracestate` that it sends; where it is left out, any. */
  state?: string
}

const cases = JSON.parse(readFileSync(new URL('./tracer-w3c-suite.json', import.meta.url), 'utf8')) as Case[]
const TRACE = '12345678901234567890123456789012'
const PARENT = '1234567890123456'

/** A service such as the suite asks for: it takes a request and says with which headers it would call on. */
let service: Server
const tracer = new Tracer({ serviceName: 'service' })

beforeAll(async () => {
  service = createServer((asked, response) => {
    const calls = Number(new URL(asked.url ?? '', 'http://service').searchParams.get('calls') ?? 1)
    const above = tracer.extract(asked.headers)
    const sent = Array.from({ length: calls }, () => {
      const span = tracer.startSpan('call', { kind: 'client', ...(above && { parent: above }) })
      const carrier = tracer.inject({} as Record<string, string>, span)
      span.end()
      return carrier
    })
    response.end(JSON.stringify(sent))
  })
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
})
afterAll(() => new Promise((resolve) => service.close(resolve)))

function ask(headers: [string, string][], calls = 1): Promise<Record<string, string>[]> {
  return new Promise((resolve, reject) => {
    const { port } = service.address() as AddressInfo
    const asked = request({ port, host: '127.0.0.1', path: `/?calls=${calls}`, headers: headers.flat() as never }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += String(chunk)))
      response.on('end', () => resolve(JSON.parse(text) as Record<string, string>[]))
    })
    asked.on('error', reject)
    asked.end()
  })
}

describe('the cases of the W3C’s own suite for trace context', () => {
  it.each(cases.map((one, number) => [`${one.case} (${number})`, one] as const))('%s', async (_, { headers, trace, state }) => {
    const [sent] = await ask([['host', 'service'], ...headers])
    const [, version, traceId, spanId] = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(sent?.traceparent ?? '') ?? []
    expect(version).toBe('00')
    if (trace === 'kept') expect(traceId).toBe(TRACE)
    else expect([TRACE, '0'.repeat(32), '12345678901234567890123456789011']).not.toContain(traceId)
    expect(spanId).not.toBe(PARENT)
    if (state !== undefined) expect(sent?.tracestate ?? '').toBe(state)
  })

  it.each([
    ['test_multiple_requests_with_valid_traceparent', `00-${TRACE}-${PARENT}-01`],
    ['test_multiple_requests_without_traceparent', undefined],
    ['test_multiple_requests_with_illegal_traceparent', `00-${'0'.repeat(32)}-${PARENT}-01`],
  ])('%s', async (_, traceparent) => {
    const sent = await ask([['host', 'service'], ...(traceparent ? [['traceparent', traceparent] as [string, string]] : [])], 3)
    const ids = sent.map((headers) => headers.traceparent?.split('-') ?? [])
    expect(new Set(ids.map(([, , span]) => span)).size).toBe(3)
    if (traceparent?.includes(TRACE)) expect(new Set(ids.map(([, trace]) => trace))).toEqual(new Set([TRACE]))
    else for (const [, trace] of ids) expect(trace).not.toBe('0'.repeat(32))
  })
})

/** The tests of `test/test_baggage.py` of github.com/w3c/baggage, as far as they are not about its Python classes. */
describe('the cases of the W3C’s own suite for baggage', () => {
  const read = (header: string): Record<string, string> => ({ ...parseBaggage(header) })
  it.each([
    ['test_parse_simple', 'SomeKey=SomeValue', { SomeKey: 'SomeValue' }],
    ['test_parse_multiple', 'SomeKey=SomeValue;SomeProp,SomeKey2=SomeValue2;ValueProp=PropVal', { SomeKey: 'SomeValue', SomeKey2: 'SomeValue2' }],
    ['test_parse_multiple_ows', 'SomeKey \t = \t SomeValue \t ; \t SomeProp \t , \t SomeKey2 \t = \t SomeValue2 \t ; \t ValueProp \t = \t PropVal', { SomeKey: 'SomeValue', SomeKey2: 'SomeValue2' }],
    ['test_parse_multiple_kv_property', 'SomeKey=SomeValue;SomePropKey=SomePropValue,SomeKey2=SomeValue2;SomePropKey2=SomePropValue2', { SomeKey: 'SomeValue', SomeKey2: 'SomeValue2' }],
    ['test_parse_multiple_equals', 'SomeKey=SomeValue=equals', { SomeKey: 'SomeValue=equals' }],
    ['test_parse_percent_encoded', `SomeKey=%09%20%22%27%3B%3Dasdf%21%40%23%24%25%5E%26%2A%28%29`, { SomeKey: '\t "\';=asdf!@#$%^&*()' }],
    ['test_parse_percent_encoded_ows', `SomeKey \t = \t %09%20%22%27%3B%3Dasdf%21%40%23%24%25%5E%26%2A%28%29 \t `, { SomeKey: '\t "\';=asdf!@#$%^&*()' }],
    ['test_parse_multi_property_ows', 'SomeKey \t = \t SomeValue \t ; \t SomeProp \t ; \t SecondProp \t = \t PropValue', { SomeKey: 'SomeValue' }],
  ])('%s', (_, header, entries) => {
    expect(read(header)).toEqual(entries)
    expect(read(formatBaggage(entries))).toEqual(entries)
  })

  it('test_serialize_at_least_64', () => {
    const entries = Object.fromEntries(Array.from({ length: 64 }, (_, n) => [`key${n}`, 'value']))
    expect(formatBaggage(entries).split(',')).toHaveLength(64)
    expect(read(formatBaggage(entries))).toEqual(entries)
  })

  it('test_serialize_long_entry', () => {
    const header = formatBaggage({ a: '0123456789'.repeat(819) })
    expect(header).toHaveLength(8_192)
    expect(read(header)).toEqual({ a: '0123456789'.repeat(819) })
  })

  it('test_serialize_many_entries', () => {
    const entries = Object.fromEntries(Array.from({ length: 512 }, (_, n) => [String(n).padStart(3, 'k'), '0123456789a']))
    const header = formatBaggage(entries)
    expect(header).toHaveLength(8_191)
    expect(Object.keys(read(header))).toHaveLength(512)
  })
})
