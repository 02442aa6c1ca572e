import { Auton8nError } from '../errors.js'
import type { AnthropicOptions } from './anthropic.js'
import type { EngineLogger } from './logger.js'
import type { JobPriority } from './queue.js'
import { isLanguageModel, type LanguageModel, type ModelFunction } from './model.js'

/** How a plugin is to be made. */
export interface CreatePluginOptions {
  /** A function that answers a prompt, or a model of the `ai` package (5 or 6). */
  model?: ModelFunction | LanguageModel
  /** A key of Anthropic; it lives in memory only. */
  apiKey?: string
  /** Default: `ANTHROPIC_BASE_URL`, else Anthropic's own address. */
  baseURL?: string
  /** Default: `CLAUDE_MODEL`, else `claude-sonnet-4-5`. */
  modelName?: string
  /** Default: `model` where there is one, else `template`. */
  generator?: 'model' | 'template'
  /** Rounds of generate and check, 1 to 50. Default 5. */
  maxIterations?: number
  /** 0 (critical) to 3 (low). Default 2. */
  priority?: JobPriority
  /** Milliseconds that an attempt may take, at most a day. Default half an hour. */
  timeout?: number
  /** Whom it counts for: users take turns. */
  userId?: string
  /** Kept with the job, as JSON. */
  metadata?: Record<string, unknown>
  /** Where the plugin is put. Default: in the data directory. */
  outDir?: string
}

/** How an engine is to be opened. */
export interface EngineOptions {
  /** Default: `AUTON8N_DATA_DIR`, else `.auton8n` in the working directory. */
  dataDir?: string
  /** For jobs that an earlier process left behind. */
  model?: ModelFunction | LanguageModel
  /** `sqlite:` and a path, `postgres://…` or `redis://…`. Default: SQLite in the data directory. */
  store?: string
  /** Creations at once. */
  concurrency?: number
  /** Where the checking tools are kept. Default: in the user's cache folder. */
  toolchainDir?: string
  sandbox?: false | object
  scanner?: false | object
  /** How dependencies of plugins are judged: `advisories` (a file), `allow`, `scopes`, `requireAdvisories`. */
  dependencies?: false | { advisories?: string; allow?: string[]; scopes?: string[]; requireAdvisories?: boolean }
  breaker?: false | object
  tracing?: false | object
  queue?: false | object
  /** Where the engine's own log goes. Default: nowhere. */
  logger?: EngineLogger
}

type Check = (value: unknown) => string | undefined
type Checks<T> = { [K in keyof Required<T>]: Check }

const text: Check = (value) => (typeof value === 'string' && value !== '' ? undefined : 'a string that is not empty')
const part: Check = (value) => (value === false || isPlain(value) ? undefined : 'false or an object')
const record: Check = (value) => (isPlain(value) ? undefined : 'an object')
const model: Check = (value) =>
  typeof value === 'function' || isLanguageModel(value)
    ? undefined
    : 'a function that answers a prompt, or a model object of `ai` 5 or 6'

const integer = (least: number, most: number): Check => (value) =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most
    ? undefined
    : `a whole number from ${least} to ${most}`

const anthropic: Checks<Pick<AnthropicOptions, 'apiKey' | 'baseURL' | 'modelName'>> = {
  apiKey: text,
  baseURL: (value) => (typeof value === 'string' && isHttp(value) ? undefined : 'an http or https address'),
  modelName: text,
}

const CREATE: Checks<CreatePluginOptions> = {
  model,
  ...anthropic,
  generator: (value) => (value === 'model' || value === 'template' ? undefined : "'model' or 'template'"),
  maxIterations: integer(1, 50),
  priority: integer(0, 3),
  timeout: integer(1, 24 * 3600 * 1000),
  userId: text,
  metadata: record,
  outDir: text,
}

const ENGINE: Checks<EngineOptions> = {
  dataDir: text,
  model,
  store: text,
  concurrency: integer(1, 1024),
  toolchainDir: text,
  sandbox: part,
  scanner: part,
  dependencies: part,
  breaker: part,
  tracing: part,
  queue: part,
  logger: (value) => (isLogger(value) ? undefined : 'an object with `info`, `warn` and `error`'),
}

/** The options of a creation, or `AUTON8N_OPTION_INVALID` that names what is wrong. */
export function checkCreateOptions(options: unknown): CreatePluginOptions {
  const checked = checkOptions<CreatePluginOptions>('options', options, CREATE)
  if (checked.metadata) checked.metadata = jsonOf('metadata', checked.metadata)
  return checked
}

/** The options of an engine, or `AUTON8N_OPTION_INVALID` that names what is wrong. */
export function checkEngineOptions(options: unknown): EngineOptions {
  return checkOptions<EngineOptions>('options', options, ENGINE)
}

/** An object of which only known keys with fitting values are set; `undefined` counts as not set. */
export function checkOptions<T extends object>(what: string, options: unknown, checks: Checks<T>): T {
  if (options === undefined) return {} as T
  if (!isPlain(options)) throw invalid(`\`${what}\` must be an object, not ${kindOf(options)}`)
  const known = Object.keys(checks)
  const result: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(options)) {
    if (!known.includes(key)) throw invalid(`\`${what}${named(key)}\` is not an option; there are: ${known.join(', ')}`)
    if (value === undefined) continue
    const wanted = checks[key as keyof T](value)
    if (wanted) throw invalid(`\`${what}.${key}\` must be ${wanted}, not ${kindOf(value)}`)
    result[key] = value
  }
  return result as T
}

/** An `AUTON8N_OPTION_INVALID`. */
export function invalid(message: string): Auton8nError {
  return new Auton8nError('AUTON8N_OPTION_INVALID', `${message}.`)
}

/** A key as it is said; what is no name of anything may be a secret. */
const named = (key: string): string => (/^[\w$-]{1,30}$/.test(key) ? `.${key}` : '[…]')

/** What a value is, in words; never the value itself, which may be a secret. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (value === '') return 'an empty string'
  if (typeof value === 'number') return String(value)
  return typeof value === 'object' ? 'an object of another kind' : `a ${typeof value}`
}

function jsonOf<T>(what: string, value: T): T {
  try {
    return JSON.parse(JSON.stringify(value)) as T
  } catch (cause) {
    throw new Auton8nError('AUTON8N_OPTION_INVALID', `\`options.${what}\` cannot be written as JSON.`, { cause })
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isLogger(value: unknown): value is EngineLogger {
  const logger = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  return ['info', 'warn', 'error'].every((name) => typeof logger[name] === 'function')
}

function isHttp(address: string): boolean {
  return URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)
}
