import { Auton8nError, nativeCallSync } from '../errors.js'
import { native } from '../native.js'

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
  if (options === undefined) options = {}
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw invalid('Circuit breaker options must be an object')
  }
  const plain: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined || key === 'isFailure' || key === 'retryAfter') continue
    const whole = key !== 'errorThresholdPercentage' && key !== 'slowCallPercentage'
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
    isFailure: callback(options, 'isFailure'),
    retryAfter: callback(options, 'retryAfter'),
  }
}

const KNOWN = new Set([
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
