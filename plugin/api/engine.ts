import { resolve } from 'node:path'
import { Auton8nError, nativeCall } from '../errors.js'
import { native } from '../native.js'
import type { CreationReport, JobSnapshot } from './creation.js'
import { EngineLease } from './lease.js'
import { toNativeModel } from './model.js'
import type {
  EngineAddon,
  EngineHealth,
  NativeCreateOptions,
  NativeJobFilter,
  NativeModel,
} from './nativeEngine.js'
import {
  checkCreateOptions,
  checkEngineOptions,
  checkOptions,
  invalid,
  kindOf,
  type CreatePluginOptions,
  type EngineOptions,
} from './options.js'
import { keeperPath, nodePath, packageRoot } from './paths.js'
import { PluginCreation, type JobSource } from './pluginCreation.js'
import type { JobStatus } from './queue.js'
import { specificationJson, type PluginSpecification, type SpecificationProblem } from './specification.js'
import { JOB_STATUSES, snapshotOf } from './snapshot.js'
import { traceOf, type StoredTrace } from './trace.js'
import { nearMetrics } from './processMetrics.js'
import { activeTraceparent } from './tracer-active.js'

/** How metrics are written. */
export interface MetricsTextOptions {
  format?: 'prometheus' | 'openmetrics'
}

/** Which jobs to list. */
export interface CreationFilter {
  status?: JobStatus
  /** At most this many. */
  limit?: number
  /** Where an earlier listing ended: the id of its last job. */
  cursor?: string
}

/** An engine: a store of jobs, and the workers that make plugins. */
export class Engine {
  readonly #lease: EngineLease
  #model: NativeModel | null = null

  /** @internal Engines are opened by `openEngine`. */
  constructor(lease: EngineLease) {
    this.#lease = lease
  }

  /** Stores a creation; resolves when it is durable. */
  createPlugin(specification: PluginSpecification, options?: CreatePluginOptions): Promise<PluginCreation>
  createPlugin(
    specification: PluginSpecification,
    apiKey: string,
    options?: CreatePluginOptions,
  ): Promise<PluginCreation>
  async createPlugin(
    specification: PluginSpecification,
    keyOrOptions?: string | CreatePluginOptions,
    options?: CreatePluginOptions,
  ): Promise<PluginCreation> {
    const checked = checkArguments(keyOrOptions, options)
    const json = jsonOf(specification)
    const model = this.#modelOf(checked)
    const created = (): Promise<string> => this.#lease.engine.createPlugin(json, forNative(checked, model), model)
    return await this.#stored(created)
  }

  /** Stores a creation that begins with words; a model makes the specification of them. */
  async createPluginFromDescription(description: string, options?: CreatePluginOptions): Promise<PluginCreation> {
    const checked = checkCreateOptions(options)
    if (typeof description !== 'string' || description.trim() === '') {
      throw invalid(`\`description\` must be a text that is not empty, not ${kindOf(description)}`)
    }
    const model = this.#modelOf(checked)
    if (!model) {
      throw new Auton8nError(
        'AUTON8N_MODEL_NEEDED',
        'Making a specification of a description takes `model` or `apiKey` (in a shell ANTHROPIC_API_KEY); or give one.',
      )
    }
    const stored = (): Promise<string> =>
      this.#lease.engine.createPluginFromDescription(description, forNative(checked, model), model)
    return await this.#stored(stored)
  }

  /** The handle of a job that exists already, from whatever process it came. */
  creation(id: string): PluginCreation {
    return new PluginCreation(id, this.#jobs())
  }

  /** A job as it is now; `null` where there is none of that id. */
  async job(id: string): Promise<JobSnapshot | null> {
    checkId(id)
    const job = await nativeCall(() => this.#lease.engine.job(id))
    return job ? snapshotOf(job) : null
  }

  /** The jobs of this engine's store. */
  async jobs(filter?: CreationFilter): Promise<JobSnapshot[]> {
    const checked = checkOptions<CreationFilter>('filter', filter, {
      status: (value) => (JOB_STATUSES.includes(value as JobStatus) ? undefined : `one of ${JOB_STATUSES.join(', ')}`),
      limit: (value) => (Number.isInteger(value) && (value as number) > 0 ? undefined : 'a whole number above 0'),
      cursor: (value) => (typeof value === 'string' ? undefined : 'a string'),
    })
    const jobs = await nativeCall(() => this.#lease.engine.jobs(checked as NativeJobFilter))
    return jobs.map(snapshotOf)
  }

  /** Cancels a job; false where it was over already. */
  async cancel(id: string): Promise<boolean> {
    checkId(id)
    return await nativeCall(() => this.#lease.engine.cancel(id))
  }

  /** Runs a failed or cancelled job again; false where it is not in such a state. */
  async retry(id: string): Promise<boolean> {
    checkId(id)
    return await nativeCall(() => this.#lease.engine.retry(id))
  }

  /** Counts of the queue, the breakers, the sandboxes and the tracer. */
  async metrics(): Promise<Record<string, unknown>> {
    return await nativeCall(() => this.#lease.engine.metrics())
  }

  /** The same, and more, as text for a Prometheus; `openmetrics` has exemplars with trace ids. Default `prometheus`. */
  async metricsText(options?: MetricsTextOptions): Promise<string> {
    const { format = 'prometheus' } = checkOptions<MetricsTextOptions>('options', options, {
      format: (value) => (value === 'prometheus' || value === 'openmetrics' ? undefined : "'prometheus' or 'openmetrics'"),
    })
    return await nativeCall(() => this.#lease.engine.metricsText(format, nearMetrics()))
  }

  /** What is kept of the trace of a job, or of the trace of that id: the last 16 MiB of spans, redacted. */
  async trace(id: string): Promise<StoredTrace> {
    checkId(id)
    return traceOf(await nativeCall(() => this.#lease.engine.trace(id)))
  }

  /** Whether everything that a creation needs is here, and if not, what to do. */
  async health(): Promise<EngineHealth> {
    return await nativeCall(() => this.#lease.engine.health())
  }

  /** The pipeline's own checks on a plugin project that exists already. */
  async verify(directory: string, specification?: PluginSpecification): Promise<CreationReport> {
    if (typeof directory !== 'string' || directory === '') {
      throw invalid(`\`directory\` must be a path, not ${kindOf(directory)}`)
    }
    const json = specification === undefined || specification === null ? null : jsonOf(specification)
    const report = await nativeCall(() => this.#lease.engine.verify(resolve(directory), json))
    return report as CreationReport
  }

  /** What is here, what is missing, and what to do about it. */
  async doctor(): Promise<Record<string, unknown>> {
    return await nativeCall(() => this.#lease.engine.doctor())
  }

  /** Sets the model of creations that bring none, and wakes the jobs of an earlier process that wait for one. */
  async setModel(model: EngineOptions['model'] | null): Promise<void> {
    this.#model = toNativeModel(checkEngineOptions(model ? { model } : {}), this.#lease.hub.pending)
    await nativeCall(() => this.#lease.engine.setModel(this.#model))
  }

  /** Stops the workers, unless others of this process use them; jobs that ran go on at the next opening. */
  async close(): Promise<void> {
    await nativeCall(() => this.#lease.giveBack())
  }

  async #stored(store: () => Promise<string>): Promise<PluginCreation> {
    const { id, early } = await this.#lease.hub.storing(() => nativeCall(store))
    return new PluginCreation(id, this.#jobs(), early)
  }

  #jobs(): JobSource {
    return {
      job: (id) => this.job(id),
      cancel: (id) => this.cancel(id),
      listen: (id, listener) => this.#lease.hub.listen(id, listener),
    }
  }

  #modelOf(options: CreatePluginOptions): NativeModel | null {
    const model = toNativeModel(options, this.#lease.hub.pending) ?? this.#model
    if (options.generator === 'model' && !model) {
      throw invalid("`generator: 'model'` needs `model` or `apiKey`; give one, or use `generator: 'template'`")
    }
    return options.generator === 'template' ? null : model
  }
}

/**
 * Opens an engine of one's own. Close it with `close()`. A second opening of the same data directory in this process
 * shares the engine of the first, with the options of the first; the last `close()` stops it.
 */
export async function openEngine(options?: EngineOptions): Promise<Engine> {
  const { model, logger, dataDir: given, ...rest } = checkEngineOptions(options)
  const dataDir = resolve(given ?? (process.env.AUTON8N_DATA_DIR || '.auton8n'))
  const node = nodePath()
  const nativeOptions = {
    ...rest,
    dataDir,
    packageRoot,
    keeperPath: keeperPath(),
    ...(node ? { nodePath: node } : {}),
  }
  const addon = native() as unknown as EngineAddon
  // A model is there before the workers start, so that no job of an earlier process misses it.
  const lease = await EngineLease.take(`${dataDir}\n${rest.store ?? ''}`, (hub) =>
    nativeCall(() => addon.Engine.open(nativeOptions, hub.receive, toNativeModel(model ? { model } : {}, hub.pending))),
  )
  if (logger) lease.log(logger)
  const engine = new Engine(lease)
  try {
    if (model) await engine.setModel(model)
  } catch (error) {
    await engine.close()
    throw error
  }
  return engine
}

/** The options of a call that may have a key before them. */
export function checkArguments(keyOrOptions: unknown, options: unknown): CreatePluginOptions {
  if (typeof keyOrOptions !== 'string') {
    if (options !== undefined && keyOrOptions !== undefined) {
      throw invalid(`\`apiKey\` must be a string, not ${kindOf(keyOrOptions)}`)
    }
    return checkCreateOptions(keyOrOptions === undefined ? options : keyOrOptions)
  }
  return checkCreateOptions({ ...checkCreateOptions(options), apiKey: keyOrOptions })
}

function jsonOf(specification: unknown): string {
  const plain = typeof specification === 'object' && specification !== null && !Array.isArray(specification)
  const json = plain ? specificationJson(specification) : wrongKind(specification)
  if (typeof json === 'string') return json
  const message = `The specification ${json.message}: ${json.fix}.`
  throw new Auton8nError('AUTON8N_SPECIFICATION_INVALID', message, { details: { problems: [json] } })
}

function wrongKind(value: unknown): SpecificationProblem {
  return { path: '$', message: `is ${kindOf(value)}`, fix: 'give an object' }
}

function checkId(id: unknown): void {
  if (typeof id !== 'string' || id === '') throw invalid(`\`id\` must be the id of a job, not ${kindOf(id)}`)
}

function forNative(options: CreatePluginOptions, model: NativeModel | null): NativeCreateOptions {
  const { model: _model, apiKey: _key, baseURL: _base, modelName: _name, outDir, ...rest } = options
  // The job goes on in the trace of whoever asks for it.
  const traceparent = rest.metadata?.traceparent === undefined ? activeTraceparent() : undefined
  if (traceparent) rest.metadata = { ...rest.metadata, traceparent }
  return { ...rest, ...(outDir ? { outDir: resolve(outDir) } : {}), hasModel: model !== null }
}
