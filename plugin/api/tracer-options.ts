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
  /** Whether SIGTERM flushes the spans, for at most 2 seconds, before it ends the process. Default false. */
  flushOnSigterm?: boolean
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

const OPTIONS = new Set(['serviceName', 'serviceVersion', 'environment', 'sampler', 'exporter', 'batch', 'flushOnSigterm'])
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
  const resource = {
    serviceName,
    ...(serviceVersion !== undefined && { serviceVersion }),
    ...(environment !== undefined && { environment }),
  }
  return { sampler, exporter, batch, resource }
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
