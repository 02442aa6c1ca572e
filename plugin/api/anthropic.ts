import type { ModelAnswer, ModelRequest } from './nativeEngine.js'
import { clean, failureOf, failureOfStatus, retryAfterMs } from './modelError.js'

/** How to reach Anthropic's messages API. */
export interface AnthropicOptions {
  apiKey: string
  /** Default: `ANTHROPIC_BASE_URL`, else `https://api.anthropic.com`. */
  baseURL?: string
  /** Default: `CLAUDE_MODEL`, else `claude-sonnet-4-5`. */
  modelName?: string
}

const DEFAULT_BASE = 'https://api.anthropic.com'
const DEFAULT_MODEL = 'claude-sonnet-4-5'
const VERSION = '2023-06-01'
const LONGEST_REPLY = 16 * 1024 * 1024

interface Reply {
  text: string
  stopReason?: string
  inputTokens: number
  outputTokens: number
}

type Body = { model: string; max_tokens: number; temperature?: number }

/** Asks Claude. Never rejects; the key is never part of what it answers. */
export async function askAnthropic(
  options: AnthropicOptions,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<ModelAnswer> {
  const body: Body = {
    model: modelOf(options),
    max_tokens: request.maxTokens,
    temperature: request.temperature,
  }
  try {
    // Models differ in what they take; each of the two mends is made at most once.
    for (let mends = 0; ; mends += 1) {
      const response = await post(options, { ...body, ...content(request) }, signal)
      if (response.ok) return answerOf(await replyOf(response), modelOf(options))
      const message = await errorText(response)
      if (mends < 2 && response.status === 400 && mend(body, message)) continue
      const wait = retryAfterMs(response.headers.get('retry-after'))
      return { error: failureOfStatus(response.status, clean(message, options.apiKey), wait) }
    }
  } catch (error) {
    return { error: failureOf(error, options.apiKey) }
  }
}

function content(request: ModelRequest): Record<string, unknown> {
  return {
    // Streamed, because `fetch` gives up on an answer whose headers take five minutes.
    stream: true,
    ...(request.system ? { system: request.system } : {}),
    messages: [{ role: 'user', content: request.prompt }],
  }
}

function post(options: AnthropicOptions, body: Record<string, unknown>, signal: AbortSignal): Promise<Response> {
  return fetch(addressOf(options.baseURL ?? (process.env.ANTHROPIC_BASE_URL || DEFAULT_BASE)), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-api-key': options.apiKey,
      'anthropic-version': VERSION,
    },
    body: JSON.stringify(body),
    redirect: 'error',
    signal,
  })
}

/** Anthropic's own SDK takes the address without `/v1`, others with it. */
function addressOf(base: string): string {
  const trimmed = base.replace(/\/+$/, '')
  return trimmed.endsWith('/v1') ? `${trimmed}/messages` : `${trimmed}/v1/messages`
}

/** Mends a request that this model does not take; false where there is nothing to mend. */
function mend(body: Body, message: string): boolean {
  const limit = /max_tokens:? \d+ > (\d+)/.exec(message)?.[1]
  if (limit && Number(limit) < body.max_tokens) {
    body.max_tokens = Number(limit)
    return true
  }
  if (/temperature/.test(message) && body.temperature !== undefined) {
    delete body.temperature
    return true
  }
  return false
}

async function errorText(response: Response): Promise<string> {
  const text = await bounded(response)
  try {
    const parsed = JSON.parse(text) as { error?: { message?: unknown } } | null
    if (typeof parsed?.error?.message === 'string') return parsed.error.message
  } catch {
    // A proxy answers with HTML or nothing; what it said is still the best there is.
  }
  return text || response.statusText || 'no explanation'
}

async function replyOf(response: Response): Promise<Reply> {
  const text = await bounded(response)
  return response.headers.get('content-type')?.includes('text/event-stream') ? fromStream(text) : fromMessage(text)
}

async function bounded(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    if (text.length > LONGEST_REPLY) throw new Error('the answer is longer than 16 MB')
  }
  return text + decoder.decode()
}

interface Message {
  content?: { type?: string; text?: string }[]
  stop_reason?: string | null
  usage?: { input_tokens?: number; output_tokens?: number }
}

function fromMessage(text: string): Reply {
  const message = parse(text) as Message | null
  if (typeof message !== 'object' || message === null || !Array.isArray(message.content)) {
    throw new Error('the provider answered something that is not a message')
  }
  const parts = message.content.filter((part) => part?.type === 'text').map((part) => part.text ?? '')
  return {
    text: parts.join(''),
    ...(message.stop_reason ? { stopReason: message.stop_reason } : {}),
    inputTokens: message.usage?.input_tokens ?? 0,
    outputTokens: message.usage?.output_tokens ?? 0,
  }
}

interface StreamEvent {
  type?: string
  message?: Message
  delta?: { type?: string; text?: string; stop_reason?: string | null }
  usage?: { output_tokens?: number }
  error?: { type?: string; message?: string }
}

const STATUS_OF_ERROR: Record<string, number> = {
  authentication_error: 401,
  permission_error: 403,
  rate_limit_error: 429,
  overloaded_error: 529,
  api_error: 500,
  timeout_error: 504,
}

function fromStream(text: string): Reply {
  const reply: Reply = { text: '', inputTokens: 0, outputTokens: 0 }
  let ended = false
  for (const line of text.split(/\r?\n/)) {
    if (!line.startsWith('data:')) continue
    const event = parse(line.slice(5)) as StreamEvent | null
    if (event?.type === 'message_start') {
      reply.inputTokens = event.message?.usage?.input_tokens ?? 0
    } else if (event?.type === 'content_block_delta' && event.delta?.type === 'text_delta') {
      reply.text += event.delta.text ?? ''
    } else if (event?.type === 'message_delta') {
      if (event.delta?.stop_reason) reply.stopReason = event.delta.stop_reason
      reply.outputTokens = event.usage?.output_tokens ?? reply.outputTokens
    } else if (event?.type === 'message_stop') {
      ended = true
    } else if (event?.type === 'error') {
      const status = STATUS_OF_ERROR[event.error?.type ?? ''] ?? 400
      throw Object.assign(new Error(event.error?.message ?? 'the stream broke off'), { statusCode: status })
    }
  }
  if (!ended) throw Object.assign(new Error('the answer broke off before its end'), { code: 'ECONNRESET' })
  return reply
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new Error('the provider answered something that is not JSON')
  }
}

function modelOf(options: AnthropicOptions): string {
  return options.modelName ?? (process.env.CLAUDE_MODEL || DEFAULT_MODEL)
}

function answerOf(reply: Reply, model: string): ModelAnswer {
  return {
    model,
    provider: 'anthropic',
    text: reply.text,
    usage: { inputTokens: reply.inputTokens, outputTokens: reply.outputTokens },
    ...(reply.stopReason ? { finishReason: reply.stopReason } : {}),
  }
}
