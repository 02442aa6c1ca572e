import type { JobContext } from './job.js'

interface Native {
  progress(attempt: number, percent: number): void
  log(attempt: number, line: string): void
}

/** What a handler gets beside its job. Its signal is made when somebody asks for it. */
export class RunContext implements JobContext {
  readonly progress: (percent: number) => void
  readonly log: (line: string) => void
  #aborted = false
  #controller: AbortController | undefined
  readonly #stopped: () => Error

  constructor(attempt: number, native: Native, stopped: () => Error) {
    this.progress = percent => native.progress(attempt, Number(percent))
    this.log = line => native.log(attempt, String(line))
    this.#stopped = stopped
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#aborted) this.#controller.abort(this.#stopped())
    }
    return this.#controller.signal
  }

  /** Whether what the handler still does is in vain. */
  static aborted(context: RunContext): boolean {
    return context.#aborted
  }

  static abort(context: RunContext): void {
    context.#aborted = true
    context.#controller?.abort(context.#stopped())
  }
}

const SIGNAL = { ...Object.getOwnPropertyDescriptor(RunContext.prototype, 'signal'), enumerable: true }

/** So that it is there in copies, too. It takes longer than all the rest, so it is left out where nobody looks. */
export function withOwnSignal(context: RunContext): void {
  Object.defineProperty(context, 'signal', SIGNAL)
}
