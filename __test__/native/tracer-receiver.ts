import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

export interface ReceivedSpan {
  traceId: string
  spanId: string
  parentSpanId: string | undefined
  name: string
  kind: number
  flags: number
  start: bigint
  end: bigint
  attributes: Record<string, unknown>
  events: { name: string; attributes: Record<string, unknown> }[]
  links: { traceId: string; spanId: string }[]
  status: { code: number; message: string }
}

export interface Received {
  headers: IncomingHttpHeaders
  url: string
  resource: Record<string, unknown>
  spans: ReceivedSpan[]
  /** As it came, but not compressed. */
  body: Buffer
}

/** A real OTLP receiver over HTTP; `answer` gives the status of each request. */
export async function receiver(answer: (index: number) => number = () => 200, headers: Record<string, string> = {}) {
  const requests: Received[] = []
  let index = 0
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const status = answer(index++)
      if (status === 200) {
        let body = Buffer.concat(chunks)
        if (request.headers['content-encoding'] === 'gzip') body = gunzipSync(body)
        const json = request.headers['content-type'] === 'application/json'
        const decoded = json ? fromJson(JSON.parse(body.toString())) : fromProtobuf(body)
        requests.push({ headers: request.headers, url: request.url ?? '', ...decoded, body })
      }
      response.writeHead(status, headers).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    asked: () => index,
    spans: () => requests.flatMap((request) => request.spans),
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/* The JSON form. */

interface JsonValue {
  stringValue?: string
  boolValue?: boolean
  intValue?: string
  doubleValue?: number
  arrayValue?: { values: JsonValue[] }
}
type JsonAttributes = { key: string; value: JsonValue }[]
interface JsonSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  flags: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: JsonAttributes
  events: { name: string; attributes: JsonAttributes }[]
  links: { traceId: string; spanId: string }[]
  status: { code?: number; message?: string }
}
interface JsonRequest {
  resourceSpans: { resource: { attributes: JsonAttributes }; scopeSpans: { spans: JsonSpan[] }[] }[]
}

function jsonValue(value: JsonValue): unknown {
  if (value.arrayValue) return value.arrayValue.values.map(jsonValue)
  return value.intValue !== undefined
    ? Number(value.intValue)
    : (value.stringValue ?? value.boolValue ?? value.doubleValue)
}

const jsonAttributes = (list: JsonAttributes) =>
  Object.fromEntries(list.map(({ key, value }) => [key, jsonValue(value)]))

function fromJson(request: JsonRequest): { resource: Record<string, unknown>; spans: ReceivedSpan[] } {
  const [first] = request.resourceSpans
  return {
    resource: jsonAttributes(first?.resource.attributes ?? []),
    spans: (first?.scopeSpans ?? []).flatMap(({ spans }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId,
        name: span.name,
        kind: span.kind,
        flags: span.flags,
        start: BigInt(span.startTimeUnixNano),
        end: BigInt(span.endTimeUnixNano),
        attributes: jsonAttributes(span.attributes),
        events: span.events.map((event) => ({ name: event.name, attributes: jsonAttributes(event.attributes) })),
        links: span.links.map(({ traceId, spanId }) => ({ traceId, spanId })),
        status: { code: span.status.code ?? 0, message: span.status.message ?? '' },
      })),
    ),
  }
}

/* The protobuf form, read from the field numbers of opentelemetry-proto. */

type Field = { number: number; value: bigint; bytes: Buffer }

function fields(message: Buffer): Field[] {
  const found: Field[] = []
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const take = (length: number) => {
    if (at + length > message.length) throw new Error('a field is longer than its message')
    return message.subarray(at, (at += length))
  }
  while (at < message.length) {
    const key = Number(varint())
    const [number, wire] = [key >> 3, key & 7]
    if (wire === 0) found.push({ number, value: varint(), bytes: Buffer.alloc(0) })
    else if (wire === 1) found.push({ number, value: 0n, bytes: take(8) })
    else if (wire === 2) found.push({ number, value: 0n, bytes: take(Number(varint())) })
    else if (wire === 5) found.push({ number, value: 0n, bytes: take(4) })
    else throw new Error(`wire type ${wire}`)
  }
  return found
}

const all = (message: Field[], number: number) => message.filter((field) => field.number === number)
const one = (message: Field[], number: number) => message.findLast((field) => field.number === number)
const text = (message: Field[], number: number) => one(message, number)?.bytes.toString() ?? ''
const hex = (message: Field[], number: number) => one(message, number)?.bytes.toString('hex')

function anyValue(bytes: Buffer): unknown {
  const [field] = fields(bytes)
  switch (field?.number) {
    case 1:
      return field.bytes.toString()
    case 2:
      return field.value === 1n
    case 3:
      return Number(BigInt.asIntN(64, field.value))
    case 4:
      return field.bytes.readDoubleLE()
    case 5:
      return all(fields(field.bytes), 1).map((value) => anyValue(value.bytes))
    default:
      return undefined
  }
}

function attributes(message: Field[], number: number): Record<string, unknown> {
  return Object.fromEntries(
    all(message, number).map(({ bytes }) => {
      const pair = fields(bytes)
      return [text(pair, 1), anyValue(one(pair, 2)?.bytes ?? Buffer.alloc(0))]
    }),
  )
}

function fromProtobuf(body: Buffer): { resource: Record<string, unknown>; spans: ReceivedSpan[] } {
  const resourceSpans = fields(one(fields(body), 1)?.bytes ?? Buffer.alloc(0))
  const resource = attributes(fields(one(resourceSpans, 1)?.bytes ?? Buffer.alloc(0)), 1)
  const scopeSpans = fields(one(resourceSpans, 2)?.bytes ?? Buffer.alloc(0))
  const spans = all(scopeSpans, 2).map(({ bytes }): ReceivedSpan => {
    const span = fields(bytes)
    const status = fields(one(span, 15)?.bytes ?? Buffer.alloc(0))
    return {
      traceId: hex(span, 1) ?? '',
      spanId: hex(span, 2) ?? '',
      parentSpanId: hex(span, 4),
      name: text(span, 5),
      kind: Number(one(span, 6)?.value),
      flags: one(span, 16)?.bytes.readUInt32LE() ?? 0,
      start: one(span, 7)?.bytes.readBigUInt64LE() ?? 0n,
      end: one(span, 8)?.bytes.readBigUInt64LE() ?? 0n,
      attributes: attributes(span, 9),
      events: all(span, 11).map(({ bytes: event }) => ({
        name: text(fields(event), 2),
        attributes: attributes(fields(event), 3),
      })),
      links: all(span, 13).map(({ bytes: link }) => ({
        traceId: hex(fields(link), 1) ?? '',
        spanId: hex(fields(link), 2) ?? '',
      })),
      status: { code: Number(one(status, 3)?.value ?? 0n), message: text(status, 2) },
    }
  })
  return { resource, spans }
}
