import type { NativeLogLine } from './logger.js'
import type { ModelErrorCode } from './modelError.js'
import type { NearMetrics } from './processMetrics.js'

/** A job as the addon tells it. */
export interface NativeJob {
  id: string
  name: string
  status: string
  stage?: string | null
  iteration?: number | null
  progress?: number | null
  log?: string[] | null
  error?: { code: string; message: string } | null
  result?: unknown
  createdAt: number
  startedAt?: number | null
  finishedAt?: number | null
  data?: unknown
  options?: unknown
}

/** A hint that something happened; the truth is asked with `job(id)`. */
export interface EngineEvent {
  type: string
  jobId?: string
  callId?: string
  at?: number
  progress?: number
  stage?: string | null
  iteration?: number | null
  message?: string | null
  line?: string
  /** Of the engine's own log. */
  lines?: NativeLogLine[]
}

/** What the engine asks a model. */
export interface ModelRequest {
  system: string
  prompt: string
  maxTokens: number
  temperature: number
  /** From 1. */
  iteration: number
  /** Named by the event `model-cancelled` when the answer is no longer wanted. */
  callId: string
  /** Of the span of the call. */
  traceparent?: string | null
}

/** What a model answered, or why it did not. */
export type ModelAnswer =
  | {
      text: string
      usage?: { inputTokens: number; outputTokens: number }
      finishReason?: string
      /** Which model answered, and who runs it, where they have a name. */
      model?: string
      provider?: string
    }
  | { error: { code: ModelErrorCode; message: string; retryAfterMs?: number } }

/** The call out of the engine. It never rejects. */
export type NativeModel = (request: ModelRequest) => Promise<ModelAnswer>

/** Options of a creation, as they cross the border. */
export interface NativeCreateOptions {
  generator?: 'model' | 'template'
  maxIterations?: number
  priority?: number
  timeout?: number
  userId?: string
  metadata?: Record<string, unknown>
  outDir?: string
  hasModel: boolean
}

/** Which jobs to list. */
export interface NativeJobFilter {
  status?: string
  limit?: number
  cursor?: string
  name?: string
}

/** How the engine is. */
export interface EngineHealth {
  status: 'ok' | 'degraded'
  /** It runs and answers; a process that is not live is to be started again. */
  live: boolean
  /** It can take jobs; while it is not, nothing should be sent to it. */
  ready: boolean
  /** What is missing and what to do about it. */
  reasons: { code: string; message: string }[]
  /** What works, but is not as safe as it could be. */
  warnings?: string[]
  /** What makes the sandboxes. */
  engine?: string
  isolation?: string
}

/** The engine of the addon. */
export interface NativeEngine {
  /** The specification is JSON text. */
  createPlugin(specification: string, options: NativeCreateOptions, model: NativeModel | null): Promise<string>
  createPluginFromDescription(
    description: string,
    options: NativeCreateOptions,
    model: NativeModel | null,
  ): Promise<string>
  setModel(model: NativeModel | null): Promise<void>
  job(id: string): Promise<NativeJob | null>
  jobs(filter: NativeJobFilter): Promise<NativeJob[]>
  cancel(id: string): Promise<boolean>
  retry(id: string): Promise<boolean>
  metrics(): Promise<Record<string, unknown>>
  metricsText(format: string, near: NearMetrics): Promise<string>
  trace(id: string): Promise<{ traceId: string; spans: unknown[] }>
  health(): Promise<EngineHealth>
  verify(directory: string, specification: string | null): Promise<unknown>
  doctor(): Promise<Record<string, unknown>>
  close(): Promise<void>
}

/** What this side uses of the addon. */
export interface EngineAddon {
  Engine: {
    open(
      options: Record<string, unknown>,
      listener: (events: EngineEvent[]) => void,
      model: NativeModel | null,
    ): Promise<NativeEngine>
  }
  formatReply(files: Record<string, string>): string
  version(): string
}
