/** Every error of this package: a stable `code`, a message that says what to do, and the `cause`. */
export class Auton8nError extends Error {
  override readonly name = 'Auton8nError'
  readonly code: string
  /** Facts for programs, such as the list of problems of a specification. */
  readonly details?: unknown

  constructor(code: string, message: string, options: { cause?: unknown; details?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    if (options.details !== undefined) this.details = options.details
  }
}

/** What the addon's border says of an argument that cannot cross it. */
const CANNOT_CROSS = /^(InvalidArg|\w+Expected)$/

/** An error of the addon as an `Auton8nError`; any other value as it is. */
export function fromNative(error: unknown): unknown {
  if (error instanceof Error && !(error instanceof Auton8nError)) {
    const { code, details } = error as Error & { code?: unknown; details?: unknown }
    if (typeof code === 'string' && code.startsWith('AUTON8N_')) {
      return new Auton8nError(code, error.message, { cause: error, details })
    }
    if (typeof code === 'string' && CANNOT_CROSS.test(code)) {
      return new Auton8nError('AUTON8N_OPTION_INVALID', `An argument cannot be taken: ${error.message}.`, { cause: error })
    }
  }
  return error
}

/** Awaits a call into the addon; its errors arrive as `Auton8nError`. */
export async function nativeCall<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw fromNative(error)
  }
}

/** Makes a synchronous call into the addon; its errors arrive as `Auton8nError`. */
export function nativeCallSync<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw fromNative(error)
  }
}
