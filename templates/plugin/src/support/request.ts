import type { IAgentRuntime } from '@elizaos/core'
import type { Values } from './parameters.js'
import { setting } from './settings.js'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A request to a web service: texts hold `{parameter}` and `${VARIABLE}`. */
export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Json
  /** Where in the JSON answer the result lies; empty for all of it. */
  readonly place: readonly (string | number)[]
  /** Milliseconds. */
  readonly timeout: number
  /** Settings without which no request is made. */
  readonly needs: readonly string[]
}

export type RequestAnswer = { ok: true; result: unknown } | { ok: false; problem: string }

const MAX_ANSWER = 5_000_000
const PLACEHOLDER = /\$\{([A-Z][A-Z0-9_]*)\}|\{([A-Za-z_][A-Za-z0-9_]*)\}/g

type Lookup = (variable: string | undefined, parameter: string | undefined) => string | number | boolean | undefined

/** Makes the request and takes the value at its place; whatever goes wrong comes back as a problem. */
export async function send(runtime: IAgentRuntime, request: Request, values: Values): Promise<RequestAnswer> {
  const missing = request.needs.filter((name) => setting(runtime, name) === undefined)
  if (missing.length > 0) {
    return failed(`The setting ${missing.join(', ')} is not set: add it to the agent's settings or to the environment.`)
  }
  const lookup: Lookup = (variable, parameter) => {
    if (variable !== undefined) return setting(runtime, variable)
    return parameter !== undefined && Object.hasOwn(values, parameter) ? values[parameter] : undefined
  }
  const filled = fill(request.url, lookup, encodeURIComponent)
  if (filled === undefined) return failed('The address cannot be made: a value of it is missing.')
  const url = new URL(filled)
  // A value such as ".." would climb to another address.
  if (url.pathname.split('/').length !== new URL(request.url).pathname.split('/').length) {
    return failed('A value cannot stand in the address.')
  }
  for (const [name, template] of Object.entries(request.query)) {
    const value = fill(template, lookup)
    if (value !== undefined) url.searchParams.append(name, value)
  }
  const headers: Record<string, string> = { accept: 'application/json' }
  for (const [name, template] of Object.entries(request.headers)) {
    const value = fill(template, lookup)
    if (value === undefined) continue
    // fetch would put the value, which may be a key, into its error.
    if (/[^\t\u0020-\u007e\u0080-\u00ff]/.test(value)) return failed(`The header ${name} would hold characters that it must not.`)
    headers[name.toLowerCase()] = value
  }
  const body = request.body === undefined ? undefined : fillJson(request.body, lookup)
  if (body !== undefined) headers['content-type'] ??= 'application/json'
  return await exchange(url, request, headers, body)
}

async function exchange(
  url: URL,
  request: Request,
  headers: Record<string, string>,
  body: Json | undefined,
): Promise<RequestAnswer> {
  let text: string | undefined
  try {
    const response = await fetch(url, {
      method: request.method,
      headers,
      // A redirect could carry keys in headers to another host.
      redirect: 'error',
      signal: AbortSignal.timeout(request.timeout),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!response.ok) {
      await response.body?.cancel()
      return failed(`${url.host} answered with HTTP status ${response.status}.`)
    }
    text = await read(response)
  } catch (error) {
    const late = error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')
    return failed(late ? `${url.host} did not answer within ${request.timeout} ms.` : `${url.host} could not be reached.`)
  }
  if (text === undefined) return failed(`The answer of ${url.host} is larger than ${MAX_ANSWER} bytes.`)
  if (text.trim() === '' && request.place.length === 0) return { ok: true, result: null }
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    return failed(`The answer of ${url.host} is not JSON.`)
  }
  const result = at(answer, request.place)
  if (result === undefined || (result === null && request.place.length > 0)) {
    return failed(`The answer of ${url.host} has no value at ${request.place.join('.') || 'its top'}.`)
  }
  return { ok: true, result }
}

/** The text of an answer, or undefined where it is too large. */
async function read(response: Response): Promise<string | undefined> {
  if (response.body === null) return ''
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let size = 0
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    size += value.byteLength
    if (size > MAX_ANSWER) {
      await reader.cancel()
      return undefined
    }
    text += decoder.decode(value, { stream: true })
  }
}

function at(answer: unknown, place: Request['place']): unknown {
  let value = answer
  for (const step of place) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string | number, unknown>)[step]
  }
  return value
}

/** The template with its placeholders filled, or undefined where one of them has no value. */
function fill(template: string, lookup: Lookup, encode: (text: string) => string = String): string | undefined {
  let complete = true
  const text = template.replace(PLACEHOLDER, (_whole, variable?: string, parameter?: string) => {
    const value = lookup(variable, parameter)
    if (value === undefined) complete = false
    return value === undefined ? '' : encode(String(value))
  })
  return complete ? text : undefined
}

function fillJson(template: Json, lookup: Lookup): Json | undefined {
  if (typeof template === 'string') {
    const whole = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(template)
    return whole === null ? fill(template, lookup) : lookup(undefined, whole[1])
  }
  if (Array.isArray(template)) {
    return template.map((item) => fillJson(item, lookup)).filter((item) => item !== undefined)
  }
  if (typeof template !== 'object' || template === null) return template
  const filled: [string, Json][] = []
  for (const [name, item] of Object.entries(template)) {
    const value = fillJson(item, lookup)
    if (value !== undefined) filled.push([name, value])
  }
  // Unlike an assignment this takes a member called __proto__ as any other.
  return Object.fromEntries(filled)
}

function failed(problem: string): { ok: false; problem: string } {
  return { ok: false, problem }
}
