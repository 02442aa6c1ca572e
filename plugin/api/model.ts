import { Auton8nError } from '../errors.js'
import { askAnthropic } from './anthropic.js'
import { clean, failureOf } from './modelError.js'
import { within } from './tracer-active.js'
import type { ModelAnswer, ModelRequest, NativeModel } from './nativeEngine.js'

/**
 * Answers one prompt. Throw to say that it failed; an error with `status` or `statusCode`, or an `Auton8nError` with
 * one of the `AUTON8N_MODEL_…` codes, says how. `signal` is aborted when the answer is no longer wanted.
 */
export type ModelFunction = (request: {
  system: string
  prompt: string
  /** The most tokens that the answer may have. */
  maxTokens: number
  temperature: number
  signal: AbortSignal
  /** The round of generate and check, from 1. */
  iteration: number
}) => Promise<string | ModelFunctionAnswer>

/** What a model function may answer besides plain text. */
export interface ModelFunctionAnswer {
  text: string
  usage?: { inputTokens: number; outputTokens: number }
  /** Such as `stop` or `length`. */
  finishReason?: string
  /** Which model it was, for the trace. */
  model?: string
}

/** A language model of the `ai` package, 5 or 6: what `openai('…')`, `anthropic('…')` and the like answer. */
export interface LanguageModel {
  readonly specificationVersion: string
  readonly provider: string
  readonly modelId: string
  doGenerate(options: never): PromiseLike<object>
}

/** Where the text comes from. */
export interface ModelSource {
  model?: ModelFunction | LanguageModel
  /** A key of Anthropic. */
  apiKey?: string
  baseURL?: string
  modelName?: string
}

/** The abort controllers of the calls that are under way, by call id. */
export type PendingCalls = Map<string, AbortController>

type Ask = (request: ModelRequest, signal: AbortSignal) => Promise<ModelAnswer>

/** The call out of the engine, or `null` where no model was given. It never rejects. */
export function toNativeModel(source: ModelSource, pending: PendingCalls): NativeModel | null {
  const ask = askOf(source)
  if (!ask) return null
  return async (request) => {
    const controller = new AbortController()
    pending.set(request.callId, controller)
    try {
      // A model that ignores its signal is left behind; the race also keeps a call alive that nobody else holds.
      return counted(finished(await Promise.race([within(request.traceparent, () => ask(request, controller.signal)), untilAborted(controller.signal)])))
    } catch (error) {
      return { error: failureOf(error, source.apiKey) }
    } finally {
      pending.delete(request.callId)
    }
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** Whether a value is a model of the `ai` package that can be asked. */
export function isLanguageModel(value: unknown): value is LanguageModel {
  if (typeof value !== 'object' || value === null) return false
  const { doGenerate, specificationVersion } = value as Record<string, unknown>
  return typeof doGenerate === 'function' && (specificationVersion === 'v2' || specificationVersion === 'v3')
}

function askOf({ model, apiKey, baseURL, modelName }: ModelSource): Ask | null {
  if (typeof model === 'function') return (request, signal) => askFunction(model, request, signal)
  if (model) return (request, signal) => askLanguageModel(model, request, signal)
  if (!apiKey) return null
  const options = { apiKey, ...(baseURL ? { baseURL } : {}), ...(modelName ? { modelName } : {}) }
  return (request, signal) => askAnthropic(options, request, signal)
}

async function askFunction(model: ModelFunction, request: ModelRequest, signal: AbortSignal): Promise<ModelAnswer> {
  const { system, prompt, maxTokens, temperature, iteration } = request
  const answer: unknown = await model({ system, prompt, maxTokens, temperature, signal, iteration })
  if (typeof answer === 'string') return { text: answer }
  const { text, usage, finishReason, model: name } = (typeof answer === 'object' && answer !== null ? answer : {}) as Record<
    string,
    unknown
  >
  if (typeof text !== 'string') {
    throw new Auton8nError(
      'AUTON8N_MODEL_FAILED',
      'The model function must answer a string or an object with `text`; mend the function given as `model`.',
    )
  }
  return {
    text,
    ...(typeof usage === 'object' && usage !== null ? { usage: usageOf(usage) } : {}),
    ...(typeof finishReason === 'string' ? { finishReason } : {}),
    ...(typeof name === 'string' ? { model: name } : {}),
  }
}

/** What 5 (`v2`) and 6 (`v3`) answer; the two differ in the finish reason and the usage. */
interface Generated {
  content?: { type?: string; text?: string }[]
  finishReason?: string | { unified?: string }
  usage?: object
}

async function askLanguageModel(
  model: LanguageModel,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<ModelAnswer> {
  // Asked directly and not by `generateText`, which would retry under the breaker.
  const doGenerate = model.doGenerate.bind(model) as (options: object) => PromiseLike<object>
  const generated = (await doGenerate({
    prompt: [
      ...(request.system ? [{ role: 'system', content: request.system }] : []),
      { role: 'user', content: [{ type: 'text', text: request.prompt }] },
    ],
    maxOutputTokens: request.maxTokens,
    temperature: request.temperature,
    abortSignal: signal,
  })) as Generated
  const parts = (generated.content ?? []).filter((part) => part.type === 'text').map((part) => part.text ?? '')
  const reason = typeof generated.finishReason === 'object' ? generated.finishReason.unified : generated.finishReason
  return {
    text: parts.join(''),
    ...(generated.usage ? { usage: usageOf(generated.usage) } : {}),
    ...(reason ? { finishReason: reason } : {}),
    model: model.modelId,
    provider: model.provider.split('.')[0] ?? model.provider,
  }
}

function usageOf(usage: object): { inputTokens: number; outputTokens: number } {
  const { inputTokens, outputTokens } = usage as Record<string, unknown>
  return { inputTokens: total(inputTokens), outputTokens: total(outputTokens) }
}

/** More than any answer has, and so little that many of them can be added up. */
const MOST_TOKENS = 1_000_000_000

function total(tokens: unknown): number {
  const value = typeof tokens === 'object' && tokens !== null ? (tokens as { total?: unknown }).total : tokens
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.min(Math.round(value), MOST_TOKENS) : 0
}

/** Numbers of a server may be anything; a wrong one must not end the job. */
function counted(answer: ModelAnswer): ModelAnswer {
  return 'error' in answer || !answer.usage ? answer : { ...answer, usage: usageOf(answer.usage) }
}

const CUT_OFF = new Set(['length', 'max_tokens', 'max-tokens', 'model_context_window_exceeded'])
const WHOLE = new Set(['stop', 'end_turn', 'stop_sequence'])
const DECLINED = new Set(['refusal', 'content-filter', 'content_filter'])

/** One word for each end: `stop`, `length`, or a refusal. */
function finished(answer: ModelAnswer): ModelAnswer {
  if ('error' in answer || answer.finishReason === undefined) return answer
  const reason = answer.finishReason
  if (DECLINED.has(reason)) {
    const said = clean(answer.text)
    return { error: { code: 'AUTON8N_MODEL_REFUSED', message: `The model declined to answer${said && `: ${said}`}` } }
  }
  if (CUT_OFF.has(reason)) return { ...answer, finishReason: 'length' }
  return WHOLE.has(reason) ? { ...answer, finishReason: 'stop' } : answer
}
