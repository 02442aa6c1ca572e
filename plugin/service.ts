import type { IAgentRuntime } from '@elizaos/core'
import { announce, askerOfJob, endText, type Asker } from './announcement.js'
import type { JobSnapshot } from './api/creation.js'
import { openEngine, type Engine } from './api/engine.js'
import type { EngineLogger } from './api/logger.js'
import type { EngineHealth } from './api/nativeEngine.js'
import type { CreatePluginOptions } from './api/options.js'
import type { PluginCreation } from './api/pluginCreation.js'
import type { PluginSpecification } from './api/specification.js'
import { isFinal } from './api/snapshot.js'
import { Auton8nError } from './errors.js'
import { PluginLoader } from './pluginLoader.js'
import { RateLimiter } from './rateLimiter.js'
import { hasRuntimeModel, runtimeModel } from './runtimeModel.js'
import { ServiceBase } from './serviceBase.js'
import { engineOptions, readSettings, type Settings } from './settings.js'

declare module '@elizaos/core' {
  interface ServiceTypeRegistry {
    PLUGIN_CREATION: 'plugin_creation'
  }
}

/**
 * How a creation is to be made for an agent; `asker` is told of its end in the chat, `client` is who is counted for the
 * hourly limit in place of the user.
 */
export type ServiceCreateOptions = CreatePluginOptions & { asker?: Asker; client?: string }

const LISTED = 200
/** Starting never holds the agent longer than this (milliseconds); opening goes on behind it. */
const START_WAIT = 5000
/** How long a look at the engine's health is good for (milliseconds). */
const HEALTH_AGE = 5000
/** Stopping never holds the agent longer than this (milliseconds). */
const STOP_WAIT = 20_000

/** Makes plugins for an agent. It starts degraded where something is missing, and says what. */
export class PluginCreationService extends ServiceBase {
  static override serviceType = 'plugin_creation'

  override capabilityDescription =
    'Creates ElizaOS plugins from a specification or a description, checks them in a sandbox and reports every check'

  readonly settings: Settings
  readonly loader: PluginLoader
  readonly #limiter: RateLimiter
  readonly #stopping = new AbortController()
  #opening: Promise<Engine> | undefined
  #health: { at: number; value: Promise<EngineHealth> } | undefined

  constructor(runtime?: IAgentRuntime) {
    super(runtime)
    if (!runtime) {
      throw new Auton8nError('AUTON8N_OPTION_INVALID', 'PluginCreationService is started by an agent runtime.')
    }
    this.settings = readSettings(runtime)
    this.loader = new PluginLoader(runtime)
    this.#limiter = new RateLimiter(this.settings.rateLimit)
  }

  /** Starts the service; never throws. */
  static override async start(runtime: IAgentRuntime): Promise<PluginCreationService> {
    const service = new PluginCreationService(runtime)
    await within(START_WAIT, service.#begin())
    return service
  }

  /** Stops the service of an agent; never throws. */
  static override async stop(runtime: IAgentRuntime): Promise<void> {
    await runtime.getService<PluginCreationService>(this.serviceType)?.stop()
  }

  /** What 2.x calls `stop`. */
  static async stopRuntime(runtime: IAgentRuntime): Promise<void> {
    await PluginCreationService.stop(runtime)
  }

  /** Stores a creation; answers its job's id as soon as it is durable. */
  async createPlugin(
    specification: PluginSpecification,
    apiKey?: string,
    options: ServiceCreateOptions = {},
  ): Promise<string> {
    return await this.#create(apiKey, options, (engine, made) => engine.createPlugin(specification, made))
  }

  /** Stores a creation that begins with words; answers its job's id as soon as it is durable. */
  async createPluginFromDescription(description: string, options: ServiceCreateOptions = {}): Promise<string> {
    return await this.#create(undefined, options, (engine, made) =>
      engine.createPluginFromDescription(description, made),
    )
  }

  /** A job as it is now; `null` where there is none of that id. */
  async getJobStatus(id: string): Promise<JobSnapshot | null> {
    return await (await this.engine()).job(id)
  }

  /** The jobs of the store, up to 200. */
  async getAllJobs(): Promise<JobSnapshot[]> {
    return await (await this.engine()).jobs({ limit: LISTED })
  }

  /** Cancels a job; false where it was over already. */
  async cancelJob(id: string): Promise<boolean> {
    return await (await this.engine()).cancel(id)
  }

  /** Counts of the queue, the breakers, the sandboxes and the tracer. */
  async getMetrics(): Promise<Record<string, unknown>> {
    return await (await this.engine()).metrics()
  }

  /** Whether everything is here, and if not, what is missing and what to do. Never rejects. */
  async getHealthStatus(): Promise<EngineHealth> {
    const reasons = [...this.settings.problems]
    const runtime = this.runtime
    if (!this.settings.anthropicApiKey && !hasRuntimeModel(runtime)) {
      reasons.push({
        code: 'AUTON8N_MODEL_NEEDED',
        message:
          'The agent has no TEXT_LARGE model, so plugins are made from templates and only of specifications; ' +
          'add a model plugin or set ANTHROPIC_API_KEY.',
      })
    }
    try {
      const health = await this.#engineHealth()
      const all = [...reasons, ...health.reasons]
      return { ...health, status: all.length > 0 ? 'degraded' : health.status, reasons: all }
    } catch (error) {
      const live = !this.#stopping.signal.aborted
      return { status: 'degraded', live, ready: false, reasons: [...reasons, reasonOf(error)] }
    }
  }

  /** The handle of a job: its events and its result. */
  async creation(id: string): Promise<PluginCreation> {
    return (await this.engine()).creation(id)
  }

  /** The engine; opened again where the last opening failed. */
  engine(): Promise<Engine> {
    if (this.#stopping.signal.aborted) {
      return Promise.reject(new Auton8nError('AUTON8N_CLOSED', 'The plugin creation service was stopped.'))
    }
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  /** Stops the engine; never throws. Jobs that ran go on at the next start. */
  override async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    this.#stopping.abort()
    const closed = (async () => {
      const engine = await this.#opening
      await engine?.close()
    })()
    await within(
      STOP_WAIT,
      closed.catch((error: unknown) => this.#warn(error, 'The engine did not close cleanly')),
    )
  }

  /** Shared for a while, since anybody may ask for it and looking may take seconds. */
  #engineHealth(): Promise<EngineHealth> {
    const now = Date.now()
    if (this.#health && now - this.#health.at < HEALTH_AGE) return this.#health.value
    const value = this.engine().then((engine) => engine.health())
    this.#health = { at: now, value }
    value.catch(() => {
      this.#health = undefined
    })
    return value
  }

  async #begin(): Promise<void> {
    try {
      const engine = await this.engine()
      for (const status of ['running', 'pending', 'scheduled', 'retrying'] as const) {
        for (const job of await engine.jobs({ status, limit: LISTED })) {
          const asker = askerOfJob(job)
          if (asker?.agentId === this.runtime.agentId) void this.#announceEnd(engine.creation(job.id), asker)
        }
      }
    } catch (error) {
      this.#warn(error, 'Plugin creation starts degraded')
    }
  }

  async #open(): Promise<Engine> {
    const model = hasRuntimeModel(this.runtime) ? { model: runtimeModel(this.runtime) } : {}
    return await openEngine({ ...engineOptions(this.settings), ...model, logger: this.#engineLogger() })
  }

  async #create(
    apiKey: string | undefined,
    options: ServiceCreateOptions,
    store: (engine: Engine, options: CreatePluginOptions) => Promise<PluginCreation>,
  ): Promise<string> {
    const { asker, client, ...rest } = options
    const made: CreatePluginOptions = { ...this.#model(apiKey, rest), ...rest }
    const userId = made.userId ?? asker?.entityId
    if (userId !== undefined) made.userId = userId
    // A message of a chat is handled within a run of the agent; the trace is linked to it.
    if (asker) made.metadata = { runId: this.runtime.getCurrentRunId(), ...made.metadata, asker: { ...asker } }
    if (made.maxIterations === undefined && this.settings.maxIterations) {
      made.maxIterations = this.settings.maxIterations
    }
    const giveBack = this.#limiter.take(client ?? userId ?? this.runtime.agentId)
    try {
      const creation = await store(await this.engine(), made)
      if (asker) void this.#announceEnd(creation, asker)
      return creation.id
    } catch (error) {
      giveBack()
      throw error
    }
  }

  /** The key that was given, else the one that is configured, else the agent's own model. */
  #model(apiKey: string | undefined, options: CreatePluginOptions): CreatePluginOptions {
    if (options.model || options.apiKey) return {}
    const key = apiKey ?? this.settings.anthropicApiKey
    if (key !== undefined) {
      const { claudeModel, anthropicBaseURL } = this.settings
      return {
        apiKey: key,
        ...(claudeModel ? { modelName: claudeModel } : {}),
        ...(anthropicBaseURL ? { baseURL: anthropicBaseURL } : {}),
      }
    }
    return hasRuntimeModel(this.runtime) ? { model: runtimeModel(this.runtime) } : {}
  }

  /** Tells the asker once how the job ended. */
  async #announceEnd(creation: PluginCreation, asker: Asker): Promise<void> {
    try {
      const job = await creation.finished({ signal: this.#stopping.signal })
      if (isFinal(job.status)) await announce(this.runtime, asker, endText(job))
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#warn(error, 'Could not follow a creation to its end')
    }
  }

  /** The engine's own log goes to the agent's. */
  #engineLogger(): EngineLogger {
    const { logger, agentId } = this.runtime
    const about = { src: 'plugin:auton8n', agentId }
    return {
      info: (record, message) => logger.info({ ...record, ...about }, message),
      warn: (record, message) => logger.warn({ ...record, ...about }, message),
      error: (record, message) => logger.error({ ...record, ...about }, message),
    }
  }

  #warn(error: unknown, message: string): void {
    const { code, message: reason } = reasonOf(error)
    this.runtime.logger.warn({ src: 'plugin:auton8n', agentId: this.runtime.agentId, code, reason }, message)
  }
}

/** The service of an agent, or an error that says where it went. */
export function serviceOf(runtime: IAgentRuntime): PluginCreationService {
  const service = runtime.getService<PluginCreationService>(PluginCreationService.serviceType)
  if (service) return service
  throw new Auton8nError('AUTON8N_CLOSED', 'The plugin creation service has not started yet; try again in a moment.')
}

/** Waits for work that goes on by itself, but not longer than this. */
async function within(milliseconds: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  await Promise.race([work, enough])
  clearTimeout(timer)
}

function reasonOf(error: unknown): { code: string; message: string } {
  if (error instanceof Auton8nError) return { code: error.code, message: error.message }
  return { code: 'AUTON8N_INTERNAL', message: error instanceof Error ? error.message : String(error) }
}
