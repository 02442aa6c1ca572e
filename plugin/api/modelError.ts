import { Auton8nError } from '../errors.js'

/** Every way in which a model call fails. */
export type ModelErrorCode =
  | 'AUTON8N_MODEL_UNAUTHORIZED'
  | 'AUTON8N_MODEL_RATE_LIMITED'
  | 'AUTON8N_MODEL_UNAVAILABLE'
  | 'AUTON8N_MODEL_REFUSED'
  | 'AUTON8N_MODEL_FAILED'
  | 'AUTON8N_TIMEOUT'

/** A failed model call, as it crosses into the engine. */
export interface ModelFailure {
  code: ModelErrorCode
  message: string
  retryAfterMs?: number
}

const CODES: ReadonlySet<string> = new Set([
  'AUTON8N_MODEL_UNAUTHORIZED',
  'AUTON8N_MODEL_RATE_LIMITED',
  'AUTON8N_MODEL_UNAVAILABLE',
  'AUTON8N_MODEL_REFUSED',
  'AUTON8N_MODEL_FAILED',
  'AUTON8N_TIMEOUT',
])

const LONGEST_MESSAGE = 400
const NETWORK_CODES = /^(ECONN|ENOTFOUND|EAI_AGAIN|EPIPE|EHOST|ENET|ETIMEDOUT|UND_ERR_SOCKET|UND_ERR_CONNECT)/

/** The failure that an HTTP status of a provider means. */
export function failureOfStatus(status: number, message: string, retryAfterMs?: number): ModelFailure {
  const said = `The model's provider answered ${status}: ${clean(message)}`
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
  if (status === 401 || status === 403) {
    return { code: 'AUTON8N_MODEL_UNAUTHORIZED', message: `${said}. Check the API key and its rights.` }
  }
  if (status === 429) return { code: 'AUTON8N_MODEL_RATE_LIMITED', message: said, ...wait }
  if (status === 408 || status === 504) return { code: 'AUTON8N_TIMEOUT', message: said }
  if (status >= 500) return { code: 'AUTON8N_MODEL_UNAVAILABLE', message: said, ...wait }
  return { code: 'AUTON8N_MODEL_FAILED', message: said }
}

/**
 * The failure that a thrown value means. Errors of providers carry the prompt and the headers, so only their
 * message and status are read, and the message is cut and cleaned of what looks like a key.
 */
export function failureOf(error: unknown, secret?: string): ModelFailure {
  const root = innermost(error)
  const message = clean(textOf(root), secret)
  if (root instanceof Auton8nError || hasCode(root)) {
    const { code, details } = root as { code: string; details?: { retryAfterMs?: unknown } }
    if (CODES.has(code)) {
      const wait = details?.retryAfterMs
      return { code: code as ModelErrorCode, message, ...(typeof wait === 'number' ? { retryAfterMs: wait } : {}) }
    }
  }
  const status = statusOf(root)
  if (status !== undefined) {
    const failure = failureOfStatus(status, message, retryAfterOf(root))
    return { ...failure, message: clean(failure.message, secret) }
  }
  const name = root instanceof Error ? root.name : ''
  if (name === 'TimeoutError' || name === 'AbortError' || /timed? ?out/i.test(message)) {
    return { code: 'AUTON8N_TIMEOUT', message: `The model call ended early: ${message}` }
  }
  if (isNetworkError(error) || isNetworkError(root)) {
    return { code: 'AUTON8N_MODEL_UNAVAILABLE', message: `The model's provider cannot be reached: ${message}` }
  }
  return { code: 'AUTON8N_MODEL_FAILED', message: `The model call failed: ${message}` }
}

/** Milliseconds to wait, from the value of a `retry-after` header. */
export function retryAfterMs(header: string | null | undefined, now: number = Date.now()): number | undefined {
  if (!header) return undefined
  const seconds = Number(header)
  if (Number.isFinite(seconds)) return seconds < 0 ? undefined : Math.round(seconds * 1000)
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** A message without the key, without what looks like one, and not too long. */
export function clean(message: string, secret?: string): string {
  let text = message
  if (secret) text = text.split(secret).join('[redacted]')
  text = text
    .replace(/\b(?:sk|pk|rk|key|api)[-_][A-Za-z0-9_*-]{8,}/g, '[redacted]')
    .replace(/\b(bearer|x-api-key:?)\s+\S+/gi, '$1 [redacted]')
    .replace(/\s+/g, ' ')
    .trim()
  return text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE)}…` : text
}

/** An `AI_RetryError` holds the error that counts in `lastError`. */
function innermost(error: unknown): unknown {
  let current = error
  for (let depth = 0; depth < 5 && typeof current === 'object' && current !== null; depth += 1) {
    const last = (current as { lastError?: unknown }).lastError
    if (last === undefined || last === null) break
    current = last
  }
  return current
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { statusCode, status } = error as { statusCode?: unknown; status?: unknown }
  const value = typeof statusCode === 'number' ? statusCode : status
  return typeof value === 'number' && value >= 400 && value < 600 ? value : undefined
}

function retryAfterOf(error: unknown): number | undefined {
  const headers = (error as { responseHeaders?: unknown }).responseHeaders
  if (typeof headers !== 'object' || headers === null) return undefined
  const value = (headers as Record<string, unknown>)['retry-after']
  return typeof value === 'string' ? retryAfterMs(value) : undefined
}

function hasCode(error: unknown): boolean {
  return typeof error === 'object' && error !== null && typeof (error as { code?: unknown }).code === 'string'
}

/** `fetch` says only "fetch failed" and puts the reason into `cause`. */
function isNetworkError(error: unknown): boolean {
  let current = error
  for (let depth = 0; depth < 5 && typeof current === 'object' && current !== null; depth += 1) {
    const { code, message, cause } = current as { code?: unknown; message?: unknown; cause?: unknown }
    if (typeof code === 'string' && NETWORK_CODES.test(code)) return true
    if (message === 'fetch failed' || message === 'terminated') return true
    current = cause
  }
  return false
}

function textOf(error: unknown): string {
  if (error instanceof Error) {
    const cause = error.cause instanceof Error && error.message === 'fetch failed' ? `: ${error.cause.message}` : ''
    return `${error.message}${cause}`
  }
  return typeof error === 'string' ? error : 'the model function threw something that is not an error'
}
