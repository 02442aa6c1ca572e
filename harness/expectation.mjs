// The request that a specification's `http` asks for, and whether one that arrived is it.
import { sameJson, show } from './assertions.mjs'

/**
 * @typedef {{ method?: string, url: string, query?: Record<string, string>, headers?: Record<string, string>,
 *   body?: unknown, result?: string, phrase?: string, timeout?: number }} Http
 * @typedef {{ method: string, origin: string, path: string[], query: [string, string][],
 *   headers: Record<string, string>, body: unknown }} Expected
 * @typedef {{ method: string, origin: string, target: string, headers: Record<string, string|string[]|undefined>,
 *   body: string }} Arrived
 */

const PLACE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\{([A-Za-z_][A-Za-z0-9_]*)\}/g

/** @param {unknown} value */
function asText(value) {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

/**
 * @param {string} text @param {Record<string, unknown>} values @param {Record<string, string>} settings
 * @param {(text: string) => string} [encode]
 */
function fill(text, values, settings, encode = (plain) => plain) {
  return text.replace(PLACE, (whole, setting, name) => {
    if (setting !== undefined) return Object.hasOwn(settings, setting) ? String(settings[setting]) : whole
    return Object.hasOwn(values, name) ? encode(asText(values[name])) : whole
  })
}

/**
 * @param {unknown} body @param {Record<string, unknown>} values @param {Record<string, string>} settings
 * @returns {unknown}
 */
function fillBody(body, values, settings) {
  if (typeof body === 'string') {
    const whole = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(body)
    if (whole?.[1] !== undefined && Object.hasOwn(values, whole[1])) return values[whole[1]]
    return fill(body, values, settings)
  }
  if (Array.isArray(body)) return body.map((item) => fillBody(item, values, settings))
  if (body !== null && typeof body === 'object') {
    return Object.fromEntries(Object.entries(body).map(([key, item]) => [key, fillBody(item, values, settings)]))
  }
  return body
}

/** Parameters that are part of the host's name. @param {Http} http @returns {Set<string>} */
export function hostParameters(http) {
  const host = /^[a-z]+:\/\/([^/?#]*)/i.exec(http.url)?.[1] ?? ''
  return new Set([...host.matchAll(PLACE)].map((match) => match[2] ?? ''))
}

/**
 * The origins that a specification declares; one with a parameter in its host is known only by the call.
 * @param {{ http?: Http }[]} parts @returns {Set<string>}
 */
export function declaredOrigins(parts) {
  const urls = parts.flatMap(({ http }) => (http && hostParameters(http).size === 0 ? [http.url] : []))
  return new Set(urls.filter((url) => URL.canParse(url)).map((url) => new URL(url).origin))
}

/** @param {string} path */
function segments(path) {
  return path.split('/').map((segment) => {
    try {
      return decodeURIComponent(segment)
    } catch {
      return segment
    }
  })
}

/**
 * @param {Http} http
 * @param {Record<string, import('./draw.mjs').Parameter>} parameters
 * @param {Record<string, unknown>} given
 * @param {Record<string, string>} settings
 * @returns {Expected}
 */
export function expectedRequest(http, parameters, given, settings) {
  const defaults = Object.entries(parameters)
    .filter(([, parameter]) => parameter.default !== undefined && parameter.default !== null)
    .map(([name, parameter]) => [name, parameter.default])
  const values = { ...Object.fromEntries(defaults), ...given }
  const url = new URL(fill(http.url, values, settings, encodeURIComponent))
  const query = [...url.searchParams.entries()]
  for (const [key, text] of Object.entries(http.query ?? {})) query.push([key, fill(text, values, settings)])
  const method = (http.method ?? 'GET').toUpperCase()
  return {
    method,
    origin: url.origin,
    path: segments(url.pathname),
    query,
    headers: Object.fromEntries(
      Object.entries(http.headers ?? {}).map(([key, text]) => [key.toLowerCase(), fill(text, values, settings)]),
    ),
    body: method === 'GET' || http.body === undefined || http.body === null
      ? undefined
      : fillBody(http.body, values, settings),
  }
}

/**
 * What is wrong with a request that arrived; undefined where nothing is. Secrets are never repeated in it.
 * @param {Expected} expected @param {Arrived} arrived @returns {string|undefined}
 */
export function requestProblem(expected, arrived) {
  if (arrived.origin !== expected.origin) return `it asked ${show(arrived.origin)}, not ${expected.origin}`
  if (arrived.method !== expected.method) return `it sent ${show(arrived.method)}, not ${expected.method}`
  const cut = arrived.target.indexOf('?')
  const path = cut < 0 ? arrived.target : arrived.target.slice(0, cut)
  if (!sameJson(segments(path), expected.path)) {
    return `it asked for the path ${show(path)}, not ${show(expected.path.map(encodeURIComponent).join('/'))}`
  }
  const query = [...new URLSearchParams(cut < 0 ? '' : arrived.target.slice(cut + 1)).entries()]
  if (!sameJson(sorted(query), sorted(expected.query))) {
    return `its query was ${show(new URLSearchParams(query).toString())}, not ` +
      show(new URLSearchParams(expected.query).toString())
  }
  for (const [name, value] of Object.entries(expected.headers)) {
    const sent = arrived.headers[name]
    if (sent === undefined) return `the header ${name} was not sent`
    if (String(sent).trim() !== value.trim()) return `the header ${name} did not hold the value that it must`
  }
  if (expected.body === undefined) return undefined
  let body
  try {
    body = JSON.parse(arrived.body)
  } catch {
    return `its body was not JSON: ${show(arrived.body)}`
  }
  return sameJson(body, expected.body) ? undefined : `its body was ${show(body)}, not ${show(expected.body)}`
}

/** @param {[string, string][]} pairs */
function sorted(pairs) {
  return pairs.map(([key, value]) => `${key}\n${value}`).sort()
}

/**
 * What is wrong with the requests of one call: the expected one must be among them, and no host may be asked that the
 * specification does not declare. What changes something must be sent once.
 * @param {Arrived[]} arrived @param {Expected} expected @param {Set<string>} declared origins
 * @returns {string|undefined}
 */
export function arrivedProblem(arrived, expected, declared) {
  const [first] = arrived
  if (first === undefined) return `it sent no request to ${expected.origin}`
  const elsewhere = arrived.find((one) => one.origin !== expected.origin && !declared.has(one.origin))
  if (elsewhere) return requestProblem(expected, elsewhere)
  const right = arrived.filter((one) => requestProblem(expected, one) === undefined)
  if (right.length === 0) return requestProblem(expected, first)
  return right.length > 1 && expected.method !== 'GET'
    ? `it sent the ${expected.method} request ${right.length} times for one call`
    : undefined
}

/**
 * The settings that this part has no business with.
 * @param {Http} http @param {Record<string, string>} settings
 */
export function foreignSettings(http, settings) {
  const named = new Set([...JSON.stringify(http).matchAll(PLACE)].map((match) => match[1]))
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !named.has(name)))
}

/**
 * What one call did besides its own request. It may ask its own host again for something that changes nothing; it may
 * not change anything, ask another host or send a setting that its `http` does not name.
 * @param {Arrived[]} arrived @param {Expected} expected @param {Record<string, string>} foreign settings
 * @returns {string|undefined}
 */
export function unaskedProblem(arrived, expected, foreign) {
  for (const one of arrived) {
    const leaked = Object.entries(foreign).find(([, value]) => holds(one, value))
    if (leaked) return `it sent the setting ${leaked[0]}, which its request does not ask for, to ${show(one.origin)}`
    if (requestProblem(expected, one) === undefined) continue
    if (one.origin !== expected.origin) return `it asked ${show(one.origin)} as well, and nobody asked for that`
    if (one.method !== 'GET' && one.method !== 'HEAD') {
      return `it sent ${show(one.method)} ${show(one.target)} as well, and nobody asked for that`
    }
  }
  return undefined
}

/** Whether a value was sent, as it is or in a usual disguise. @param {Arrived} arrived @param {string} value */
function holds({ origin, target, headers, body }, value) {
  const sent = [origin, target, JSON.stringify(headers), body].join('\n').toLowerCase()
  const bytes = Buffer.from(value)
  const forms = [value, encodeURIComponent(value), encodeURIComponent(encodeURIComponent(value)),
    bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url'), bytes.toString('hex')]
  return forms.some((form) => sent.includes(form.toLowerCase()))
}
