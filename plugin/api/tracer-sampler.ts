import { Auton8nError } from '../errors.js'
import type { SpanContext } from './tracer-context.js'
import { bitsAt, type TraceId } from './tracer-ids.js'

/** Decides whether a span is recorded. */
export interface Sampler {
  shouldSample(traceId: string, parent: SpanContext | undefined, name: string): boolean
}

/** How a sampler of ours decides: without the digits of the id. `flags` are the parent's, -1 where there is none. */
export type Decision = (trace: TraceId, flags: number) => boolean

/** The decision of a sampler of ours; undefined for any other, also one that is derived from ours. */
export function decisionOf(sampler: Sampler): Decision | undefined {
  switch (sampler.constructor) {
    case AlwaysSampler:
      return () => true
    case ProbabilitySampler:
      return (trace) => {
        const { share } = sampler as ProbabilitySampler
        return share > 0 && (share === 1 || (sampler as ProbabilitySampler).takes(trace.drawn().c, trace.d))
      }
    case RateLimitingSampler:
      return () => (sampler as RateLimitingSampler).shouldSample()
    case ParentBasedSampler: {
      const root = decisionOf((sampler as ParentBasedSampler).root)
      return root && ((trace, flags) => (flags < 0 ? root(trace, flags) : (flags & 1) === 1))
    }
    default:
      return undefined
  }
}

/** Records every span. */
export class AlwaysSampler implements Sampler {
  shouldSample(): boolean {
    return true
  }
}

const MOST = 2 ** 56

/** Records a share of the traces, whole: the trace id decides, as in OpenTelemetry. */
export class ProbabilitySampler implements Sampler {
  readonly share: number
  readonly #threshold: number

  /** `probability` from 0 to 1. */
  constructor(probability: number) {
    if (typeof probability !== 'number' || !(probability >= 0 && probability <= 1)) {
      throw new Auton8nError('AUTON8N_OPTION_INVALID', 'ProbabilitySampler(p): p must be a number from 0 to 1')
    }
    this.share = probability
    this.#threshold = (1 - probability) * MOST
  }

  shouldSample(traceId: string): boolean {
    return this.takes(bitsAt(traceId, 16), bitsAt(traceId, 24))
  }

  /** The same of the last 64 bits of an id, of which 56 count. */
  takes(high: number, low: number): boolean {
    if (this.share === 1) return true
    return this.share > 0 && (high & 0xffffff) * 2 ** 32 + (low >>> 0) >= this.#threshold
  }
}

/** Records at most so many spans a second: a bucket of tokens. */
export class RateLimitingSampler implements Sampler {
  readonly #perMs: number
  readonly #burst: number
  #tokens: number
  #last = performance.now()

  /** `burst` spans may come at once; default one second's worth, at least one. */
  constructor(perSecond: number, burst: number = Math.max(1, perSecond)) {
    if (typeof perSecond !== 'number' || !(perSecond >= 0 && perSecond < Infinity)) {
      throw new Auton8nError('AUTON8N_OPTION_INVALID', 'RateLimitingSampler(perSecond): must be a number of at least 0')
    }
    if (typeof burst !== 'number' || !(burst >= 1 && burst < Infinity)) {
      throw new Auton8nError(
        'AUTON8N_OPTION_INVALID',
        'RateLimitingSampler(perSecond, burst): burst must be at least 1',
      )
    }
    this.#perMs = perSecond / 1_000
    this.#burst = burst
    this.#tokens = perSecond === 0 ? 0 : burst
  }

  shouldSample(): boolean {
    const now = performance.now()
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, now - this.#last) * this.#perMs)
    this.#last = now
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}

/** Does what the parent did; asks another sampler where there is none. */
export class ParentBasedSampler implements Sampler {
  readonly root: Sampler

  constructor(root: Sampler) {
    if (typeof root?.shouldSample !== 'function') {
      throw new Auton8nError('AUTON8N_OPTION_INVALID', 'ParentBasedSampler(root): root must be a sampler')
    }
    this.root = root
  }

  shouldSample(traceId: string, parent: SpanContext | undefined, name: string): boolean {
    return parent ? (parent.flags & 1) === 1 : this.root.shouldSample(traceId, parent, name)
  }
}
