/** Runs the jobs of its queue for which there are handlers. */
export class Worker {
  /** @internal */
  constructor(
    private readonly startNative: () => Promise<void>,
    private readonly stopNative: () => Promise<void>,
  ) {}

  private running: Promise<void> | undefined

  /** Starts taking jobs. Until it is stopped it keeps the process alive while there are jobs for it. */
  start(): Promise<void> {
    this.running ??= this.startNative()
    return this.running
  }

  /** Takes no further job, waits for running ones up to `shutdownTimeout`, then hands them back. */
  async stop(): Promise<void> {
    if (!this.running) return
    await this.running.catch(() => undefined)
    this.running = undefined
    await this.stopNative()
  }
}
