import type { IAgentRuntime } from '@elizaos/core'
import type { EngineOptions } from './api/options.js'
import { Auton8nError } from './errors.js'

/** What the user set for this agent. */
export interface Settings {
  dataDir?: string
  store?: string
  concurrency?: number
  maxIterations?: number
  sandboxEngine?: string
  sandboxMemory?: string
  sandboxCpus?: number
  /** Guards the routes; without it they answer 503. */
  apiToken?: string
  /** Creations per user and hour. */
  rateLimit: number
  /** Whether an owner may load a created plugin into the live agent. */
  allowLoad: boolean
  otlpEndpoint?: string
  anthropicApiKey?: string
  anthropicBaseURL?: string
  claudeModel?: string
  /** Settings that cannot be used as they are, and what was used in their place. */
  problems: { code: string; message: string }[]
}

const DEFAULT_RATE_LIMIT = 10

/** Where settings come from before the environment; an agent's runtime is one. */
type Source = Pick<IAgentRuntime, 'getSetting'>

/** Reads the agent's settings, then the environment. Never throws: what cannot be used becomes a problem. */
export function readSettings(runtime: Source): Settings {
  const problems: Settings['problems'] = []
  const text = (key: string): string | undefined => {
    const value = setting(runtime, key)
    return value === undefined || value === '' ? undefined : value
  }
  const number = (key: string, least: number, whole: boolean): number | undefined => {
    const value = text(key)
    if (value === undefined) return undefined
    const parsed = Number(value)
    if (Number.isFinite(parsed) && parsed >= least && (!whole || Number.isInteger(parsed))) return parsed
    problems.push({
      code: 'AUTON8N_OPTION_INVALID',
      message: `${key} must be a ${whole ? 'whole ' : ''}number of at least ${least}; correct it, or remove it to have the default.`,
    })
    return undefined
  }
  return withoutUndefined({
    dataDir: text('AUTON8N_DATA_DIR') ?? text('PLUGIN_DATA_DIR'),
    store: text('AUTON8N_STORE'),
    concurrency: number('AUTON8N_CONCURRENCY', 1, true),
    maxIterations: number('AUTON8N_MAX_ITERATIONS', 1, true),
    sandboxEngine: text('AUTON8N_SANDBOX_ENGINE'),
    sandboxMemory: text('AUTON8N_SANDBOX_MEMORY'),
    sandboxCpus: number('AUTON8N_SANDBOX_CPUS', 0.01, false),
    apiToken: text('AUTON8N_API_TOKEN'),
    rateLimit: number('AUTON8N_RATE_LIMIT', 1, true) ?? DEFAULT_RATE_LIMIT,
    allowLoad: /^(true|1|yes|on)$/i.test(text('AUTON8N_ALLOW_LOAD') ?? ''),
    otlpEndpoint: text('AUTON8N_OTLP_ENDPOINT'),
    anthropicApiKey: text('ANTHROPIC_API_KEY'),
    anthropicBaseURL: text('ANTHROPIC_BASE_URL'),
    claudeModel: text('CLAUDE_MODEL'),
    problems,
  })
}

/** The engine that these settings ask for. */
export function engineOptions(settings: Settings): EngineOptions {
  const sandbox = withoutUndefined({
    engine: settings.sandboxEngine,
    memory: settings.sandboxMemory,
    cpus: settings.sandboxCpus,
  })
  return withoutUndefined({
    dataDir: settings.dataDir,
    store: settings.store,
    concurrency: settings.concurrency,
    sandbox: Object.keys(sandbox).length > 0 ? sandbox : undefined,
    tracing: settings.otlpEndpoint ? { url: settings.otlpEndpoint } : undefined,
  })
}

/** The engine that the environment asks for, or `AUTON8N_OPTION_INVALID`. */
export function environmentOptions(): EngineOptions {
  const settings = readSettings({ getSetting: () => null })
  const [problem] = settings.problems
  if (problem) throw new Auton8nError(problem.code, problem.message)
  return engineOptions(settings)
}

function setting(runtime: Source, key: string): string | undefined {
  let value: unknown
  try {
    value = runtime.getSetting(key)
  } catch {
    // A setting that cannot be decrypted is one that is not set.
  }
  if (value === null || value === undefined || value === '') return process.env[key]
  return String(value)
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Defined<T>
}
