import type { JobContext } from './job.js'

interface Native {
  progress(attempt: number, percent: number): void
  log(attempt: number, line: string): void
}

/** What a handler gets beside its job. Its signal is made when somebody asks for it. */
export class RunContext implements JobContext {
  readonly progress: (percent: number) => void
  readonly log: (line: string) => void
  #aborted: Error | undefined
  #controller: AbortController | undefined

  constructor(attempt: number, native: Native) {
    this.progress = percent => native.progress(attempt, Number(percent))
    this.log = line => native.log(attempt, String(line))
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#aborted) this.#controller.abort(this.#aborted)
    }
    return this.#controller.signal
  }

  /** Why what the handler still does is in vain, once it is. */
  static aborted(context: RunContext): Error | undefined {
    return context.#aborted
  }

  static abort(context: RunContext, why: Error): void {
    context.#aborted = why
    context.#controller?.abort(why)
  }
}

const SIGNAL = { ...Object.getOwnPropertyDescriptor(RunContext.prototype, 'signal'), enumerable: true }

/** So that it is there in copies, too. It takes longer than all the rest, so it is left out where nobody looks. */
export function withOwnSignal(context: RunContext): void {
  Object.defineProperty(context, 'signal', SIGNAL)
}
