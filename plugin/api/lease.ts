import { Auton8nError } from '../errors.js'
import { Hub } from './hub.js'
import type { EngineLogger } from './logger.js'
import type { NativeEngine } from './nativeEngine.js'

interface Opened {
  opening: Promise<NativeEngine>
  hub: Hub
  holders: number
}

/** The engines of this process, by what they keep their jobs in: a second opening gets the same one. */
const opened = new Map<string, Opened>()
/** Those that are closing; the next one waits for them. */
const closing = new Map<string, Promise<void>>()

/** A share in an open engine; the last one to be given back closes it. */
export class EngineLease {
  readonly #engine: NativeEngine
  readonly #key: string
  readonly #entry: Opened
  #closed = false
  #logger: EngineLogger | undefined

  private constructor(engine: NativeEngine, key: string, entry: Opened) {
    this.#engine = engine
    this.#key = key
    this.#entry = entry
  }

  /** A share in the engine of that key, which is opened where there is none. */
  static async take(key: string, open: (hub: Hub) => Promise<NativeEngine>): Promise<EngineLease> {
    let entry = opened.get(key)
    if (!entry) {
      const hub = new Hub()
      const closed = closing.get(key) ?? Promise.resolve()
      entry = { hub, holders: 0, opening: closed.then(() => open(hub)) }
      opened.set(key, entry)
    }
    entry.holders += 1
    try {
      return new EngineLease(await entry.opening, key, entry)
    } catch (error) {
      if (opened.get(key) === entry) opened.delete(key)
      throw error
    }
  }

  /** The engine, or `AUTON8N_CLOSED` after `giveBack`. */
  get engine(): NativeEngine {
    if (!this.#closed) return this.#engine
    throw new Auton8nError('AUTON8N_CLOSED', 'This engine was closed; open another one with `openEngine()`.')
  }

  get hub(): Hub {
    return this.#entry.hub
  }

  /** Lets a logger hear the engine until it is given back. */
  log(logger: EngineLogger): void {
    // One of its own, since another engine may have the same logger.
    const own: EngineLogger = {
      debug: (record, message) => logger.debug?.(record, message),
      info: (record, message) => logger.info(record, message),
      warn: (record, message) => logger.warn(record, message),
      error: (record, message) => logger.error(record, message),
    }
    this.#logger = own
    this.#entry.hub.loggers.add(own)
  }

  async giveBack(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#entry.holders -= 1
    if (this.#entry.holders > 0) {
      if (this.#logger) this.#entry.hub.loggers.delete(this.#logger)
      return
    }
    if (opened.get(this.#key) === this.#entry) opened.delete(this.#key)
    // The engine hands its running jobs back, and gives up their calls; what is left of them is aborted then.
    const closed = this.#engine.close().finally(() => this.#entry.hub.abortCalls())
    const settled = closed.then(ignore, ignore)
    closing.set(this.#key, settled)
    try {
      await closed
    } finally {
      if (closing.get(this.#key) === settled) closing.delete(this.#key)
    }
  }
}

function ignore(): void {
  // Whoever closed it hears how that went.
}
