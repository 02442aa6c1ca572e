import { resolve } from 'node:path'
import { Auton8nError } from '../errors.js'
import type { SpanContext } from './tracer-context.js'
import { OtlpExporter, type SpanExporter } from './tracer-exporter.js'
import type { BatchOptions } from './tracer-pipeline.js'
import { AlwaysSampler, ParentBasedSampler, type Sampler } from './tracer-sampler.js'
import type { Attributes, Span, SpanKind, SpanLink } from './tracer-span.js'

export interface TracerOptions {
  serviceName: string
  serviceVersion?: string
  environment?: string
  /** Default: what the parent did, and every trace that starts here. */
  sampler?: Sampler
  /** Default: none; spans then carry context and are not kept. */
  exporter?: OtlpExporter | SpanExporter
  batch?: Partial<BatchOptions>
  /**
   * Where spans for an `OtlpExporter` are kept until they are exported, so that a process which is killed loses only
   * those of its last tenth of a second (and, where its loop was busy, up to 255 more). The next tracer of the same
   * service sends them. Files hold no secrets and go with their spans. Default: nowhere.
   */
  spill?: SpillOptions
  /** Whether SIGTERM flushes the spans, for at most 2 seconds, before it ends the process. Default false. */
  flushOnSigterm?: boolean
}

export interface SpillOptions {
  /** Of one machine; several processes may share it. It is made at the first span. */
  directory: string
  /** Bytes of all its files of this process; spans beyond it are exported and not kept. Default 16 MiB. */
  maxBytes?: number
}

export interface StartSpanOptions {
  /** Default internal. A number of `SpanKind` or its name. */
  kind?: SpanKind | 'internal' | 'server' | 'client' | 'producer' | 'consumer'
  attributes?: Attributes
  links?: readonly SpanLink[]
  /** Default the active span; `null` starts a new trace. */
  parent?: Span | SpanContext | null
}

const KINDS = ['internal', 'server', 'client', 'producer', 'consumer']

export function kindOf(kind: unknown): SpanKind {
  const number = typeof kind === 'string' ? KINDS.indexOf(kind.toLowerCase()) : kind
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 4) {
    throw invalid(`startSpan(): kind must be 0 to 4 or one of ${KINDS.join(', ')}`)
  }
  return number as SpanKind
}

export function invalid(message: string): Auton8nError {
  return new Auton8nError('AUTON8N_OPTION_INVALID', message)
}

const OPTIONS = new Set(['serviceName', 'serviceVersion', 'environment', 'sampler', 'exporter', 'batch', 'flushOnSigterm', 'spill'])
const BATCH = { maxSize: [512, 100_000], interval: [5_000, 86_400_000], maxQueue: [131_072, 10_000_000] } as const

/** Checks everything and throws `AUTON8N_OPTION_INVALID` with the option's name. */
export function checked(options: TracerOptions) {
  if (options === null || typeof options !== 'object') throw invalid('Tracer(options): options must be an object')
  for (const key of Object.keys(options)) if (!OPTIONS.has(key)) throw invalid(`Tracer has no option '${key}'`)
  const { serviceName, serviceVersion, environment, exporter } = options
  if (typeof serviceName !== 'string' || serviceName === '') throw invalid('Tracer option serviceName must be a text')
  for (const [key, value] of Object.entries({ serviceVersion, environment })) {
    if (value !== undefined && typeof value !== 'string') throw invalid(`Tracer option ${key} must be a text`)
  }
  if (options.flushOnSigterm !== undefined && typeof options.flushOnSigterm !== 'boolean') {
    throw invalid('Tracer option flushOnSigterm must be true or false')
  }
  const sampler = options.sampler ?? new ParentBasedSampler(new AlwaysSampler())
  if (typeof sampler?.shouldSample !== 'function') throw invalid('Tracer option sampler must have shouldSample()')
  if (exporter !== undefined && !(exporter instanceof OtlpExporter) && typeof exporter?.export !== 'function') {
    throw invalid('Tracer option exporter must have export()')
  }
  const batch: BatchOptions = { maxSize: 512, interval: 5_000, maxQueue: 131_072 }
  if (options.batch !== undefined && (options.batch === null || typeof options.batch !== 'object')) {
    throw invalid('Tracer option batch must be an object')
  }
  for (const [key, value] of Object.entries(options.batch ?? {})) {
    const range = BATCH[key as keyof typeof BATCH]
    if (!range) throw invalid(`Tracer option batch has no '${key}'`)
    if (value === undefined) continue
    if (!Number.isInteger(value) || value < 1 || value > range[1]) {
      throw invalid(`Tracer option batch.${key} must be a whole number from 1 to ${range[1]}`)
    }
    batch[key as keyof BatchOptions] = value
  }
  const spill = checkedSpill(options.spill, exporter)
  const resource = {
    serviceName,
    ...(serviceVersion !== undefined && { serviceVersion }),
    ...(environment !== undefined && { environment }),
  }
  return { sampler, exporter, batch, resource, spill }
}

function checkedSpill(spill: SpillOptions | undefined, exporter: unknown): SpillOptions | undefined {
  if (spill === undefined) return undefined
  if (spill === null || typeof spill !== 'object') throw invalid('Tracer option spill must be an object')
  if (!(exporter instanceof OtlpExporter)) throw invalid('Tracer option spill needs an OtlpExporter')
  const { directory, maxBytes, ...unknown } = spill
  for (const key of Object.keys(unknown)) throw invalid(`Tracer option spill has no '${key}'`)
  if (typeof directory !== 'string' || directory === '' || directory.includes('\0')) {
    throw invalid('Tracer option spill.directory must be a path')
  }
  if (maxBytes !== undefined && !(Number.isSafeInteger(maxBytes) && maxBytes >= 4_096 && maxBytes <= 2 ** 40)) {
    throw invalid('Tracer option spill.maxBytes must be a whole number of at least 4096')
  }
  return { directory: resolve(directory), ...(maxBytes !== undefined && { maxBytes }) }
}

export function attributesOf(resource: {
  serviceName: string
  serviceVersion?: string
  environment?: string
}): Record<string, string> {
  return {
    'service.name': resource.serviceName,
    ...(resource.serviceVersion !== undefined && { 'service.version': resource.serviceVersion }),
    ...(resource.environment !== undefined && { 'deployment.environment.name': resource.environment }),
  }
}
