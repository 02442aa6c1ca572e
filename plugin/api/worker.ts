/** Runs the jobs of its queue for which there are handlers. */
export class Worker {
  /** @internal */
  constructor(
    private readonly startNative: () => Promise<void>,
    private readonly stopNative: () => Promise<void>,
  ) {}

  private running: Promise<void> | undefined
  private stopping: Promise<void> | undefined

  /** Starts taking jobs. Until it is stopped it keeps the process alive while there are jobs or schedules for it. */
  start(): Promise<void> {
    this.running ??= this.begin()
    return this.running
  }

  /** Takes no further job, waits for running ones up to `shutdownTimeout`, then hands them back. */
  stop(): Promise<void> {
    const { running } = this
    if (!running) return this.stopping ?? Promise.resolve()
    this.running = undefined
    this.stopping = this.end(running).finally(() => (this.stopping = undefined))
    return this.stopping
  }

  private async begin(): Promise<void> {
    await this.stopping?.catch(() => undefined)
    try {
      await this.startNative()
    } catch (error) {
      // It may be tried again.
      this.running = undefined
      throw error
    }
  }

  private async end(running: Promise<void>): Promise<void> {
    const started = await running.then(() => true, () => false)
    if (started) await this.stopNative()
  }
}
