import { Auton8nError, nativeCallSync } from '../errors.js'
import { native } from '../native.js'
import type { BulkheadOptions } from './breaker-bulkhead.js'
import type { CircuitBreakerSnapshot } from './breaker-snapshot.js'

/** How a breaker decides. Durations are milliseconds. */
export interface CircuitBreakerOptions {
  /** Failures in a row that open it. Default 5. */
  failureThreshold?: number
  /** How long it stays open before trials. Default 60 000. */
  resetTimeout?: number
  /** Successful trials that close it again. Default 2. */
  successThreshold?: number
  /** How long a call may take; 0 is no limit. Default 10 000. */
  timeout?: number
  /** Calls in the window before percentages count. Default 10. */
  volumeThreshold?: number
  /** Percentage of failed calls in the window that opens it. Default 50. */
  errorThresholdPercentage?: number
  /** Length of the rolling window. Default 60 000. */
  rollingWindowSize?: number
  /** Calls that the window holds, whatever the time, in place of `rollingWindowSize`; up to 10 000. */
  rollingWindowCalls?: number
  /** What the open time is multiplied by each time that a trial fails. Default 1. */
  resetBackoff?: number
  /** The longest open time that comes of it. Default: ten times `resetTimeout`. */
  resetTimeoutMax?: number
  /** 0 to 1: the share of the open time that chance may take off. Default 0. */
  resetJitter?: number
  /** Calls at once. Default: any number. */
  maxConcurrent?: number
  /** Calls that may wait for a place while `maxConcurrent` run. Default 0. */
  maxWaiting?: number
  /** How long one may wait for a place. Default 10 000. */
  maxWaitTime?: number
  /** What `toJSON()` answered in an earlier process: it goes on from there. */
  initialState?: CircuitBreakerSnapshot
  /** A call that takes at least this long is slow. Default: no call is. */
  slowCallDuration?: number
  /** Percentage of slow calls in the window that opens it. Default 100 where `slowCallDuration` is set. */
  slowCallPercentage?: number
  /** Trials at once while half-open. Default 1. */
  halfOpenMax?: number
  /** How long a trial that does not end holds its place. Default: twice `timeout`, or `resetTimeout` without one. */
  trialLease?: number
  /** Whether an error counts as a failure. Default: every one does. One that does not is passed on and not counted. */
  isFailure?: (error: unknown) => boolean
  /** Milliseconds that the called service asks to wait: where this error opens the breaker, it stays open that long. */
  retryAfter?: (error: unknown) => number | undefined
}

/** The options with defaults, as the shim needs them, and the plain ones for the engine. */
export interface CheckedOptions {
  readonly plain: Record<string, unknown>
  readonly timeout: number
  readonly slowCallDuration: number
  /** Milliseconds in which gathered successes may be told together. */
  readonly bucket: number
  readonly bulkhead: BulkheadOptions | undefined
  readonly isFailure: ((error: unknown) => boolean) | undefined
  readonly retryAfter: ((error: unknown) => number | undefined) | undefined
}

function callback<T>(options: object, key: string): T | undefined {
  const value = (options as Record<string, unknown>)[key]
  if (value === undefined) return undefined
  if (typeof value !== 'function') throw invalid(`Circuit breaker option ${key} must be a function`)
  return value as T
}

export function invalid(message: string): Auton8nError {
  return new Auton8nError('AUTON8N_OPTION_INVALID', message)
}

export function checkName(name: unknown): string {
  if (typeof name !== 'string' || name === '' || name.length > 1_000) {
    throw invalid('The name of a circuit breaker must be a string of 1 to 1000 characters')
  }
  return name
}

/** Checks everything and throws `AUTON8N_OPTION_INVALID` with the option's name. */
export function checkOptions(options: CircuitBreakerOptions | undefined): CheckedOptions {
  if (options === undefined) return (DEFAULTS ??= checkOptions({}))
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw invalid('Circuit breaker options must be an object')
  }
  const plain: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined || HERE.has(key)) continue
    const whole = !FRACTIONS.has(key)
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0 || (whole && !Number.isSafeInteger(value))) {
      // The engine names the option where it knows none of that name.
      if (typeof value === 'number' || KNOWN.has(key)) {
        throw invalid(
          `Circuit breaker option ${key} must be a ${whole ? 'whole ' : ''}number of at least 0, not ${describe(value)}`,
        )
      }
    }
    plain[key] = value
  }
  nativeCallSync(() => native().checkBreakerOptions(plain))
  return {
    plain,
    timeout: options.timeout ?? 10_000,
    slowCallDuration: options.slowCallDuration ?? Infinity,
    bucket: options.rollingWindowCalls ? 2 ** 32 - 1 : Math.max(1, Math.ceil((options.rollingWindowSize ?? 60_000) / 10)),
    bulkhead: bulkheadOf(options),
    isFailure: callback(options, 'isFailure'),
    retryAfter: callback(options, 'retryAfter'),
  }
}

/** A breaker without options shares these. */
let DEFAULTS: CheckedOptions | undefined

/** Options of this side of the border. */
const HERE = new Set(['isFailure', 'retryAfter', 'maxConcurrent', 'maxWaiting', 'maxWaitTime', 'initialState'])
const FRACTIONS = new Set(['errorThresholdPercentage', 'slowCallPercentage', 'resetBackoff', 'resetJitter'])

function bulkheadOf({ maxConcurrent, maxWaiting, maxWaitTime }: CircuitBreakerOptions): BulkheadOptions | undefined {
  const given = { maxConcurrent, maxWaiting, maxWaitTime }
  for (const [key, least, most] of [
    ['maxConcurrent', 1, 1_000_000],
    ['maxWaiting', 0, 1_000_000],
    ['maxWaitTime', 1, 86_400_000],
  ] as const) {
    const value: unknown = given[key]
    if (value === undefined) continue
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
      throw invalid(`Circuit breaker option ${key} must be a whole number from ${least} to ${most}, not ${describe(value)}`)
    }
    if (maxConcurrent === undefined) throw invalid(`Circuit breaker option ${key} needs maxConcurrent`)
  }
  if (maxConcurrent === undefined) return undefined
  return { most: maxConcurrent, waiting: maxWaiting ?? 0, patience: maxWaitTime ?? 10_000 }
}

const KNOWN = new Set([
  'rollingWindowCalls',
  'resetBackoff',
  'resetTimeoutMax',
  'resetJitter',
  'failureThreshold',
  'resetTimeout',
  'successThreshold',
  'timeout',
  'volumeThreshold',
  'errorThresholdPercentage',
  'rollingWindowSize',
  'slowCallDuration',
  'slowCallPercentage',
  'halfOpenMax',
  'trialLease',
])

function describe(value: unknown): string {
  return typeof value === 'number' ? String(value) : value === null ? 'null' : `a ${typeof value}`
}

/** Whether the error counts; a predicate that throws does not spare the service. */
export function isFailure(options: CheckedOptions, error: unknown): boolean {
  try {
    return options.isFailure?.(error) ?? true
  } catch {
    return true
  }
}

/** Milliseconds that the service asks to wait, 0 where it does not. */
export function retryAfter(options: CheckedOptions, error: unknown): number {
  try {
    const ms = options.retryAfter?.(error)
    return typeof ms === 'number' && ms > 0 ? Math.min(ms, 86_400_000) : 0
  } catch {
    return 0
  }
}
