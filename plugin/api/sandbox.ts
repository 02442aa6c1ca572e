import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Auton8nError, nativeCall } from '../errors.js'
import { native } from '../native.js'
import type { CreationReport } from './creation.js'
import { openEngine, type Engine } from './engine.js'
import { checkOptions, invalid, kindOf } from './options.js'
import { keeperPath, nodePath, packageRoot } from './paths.js'
import type { PluginSpecification } from './specification.js'

/** How a sandbox is opened. Sizes are bytes or texts such as `512m` and `1g`. */
export interface SandboxOptions {
  /** `auto` (Docker, else Podman, else the built-in one), or the address of a socket. Default `auto`. */
  engine?: 'auto' | 'docker' | 'podman' | 'built-in' | `unix://${string}` | `npipe://${string}`
  /** An image of the engine in place of the one that is made here. */
  image?: string
  /** A runtime that the container engine knows, such as `runsc` or `kata`, in place of the engine's own choice. */
  runtime?: string
  /** Memory of all processes together, without swap. Default `512m`. */
  memory?: string | number
  /** Processors; may be a fraction. Default 1. */
  cpus?: number
  /** Processes and threads. Default 100. */
  pids?: number
  /** There is no other. */
  network?: 'none'
  /** Size of `/tmp`. Default `64m`. */
  tmpfs?: string | number
  /** Size of the working directory. Default `128m`. */
  work?: string | number
  /** Milliseconds of a run that names none. Default 120 000. */
  timeout?: number
  /** Added to the small fixed environment of each run. */
  env?: Record<string, string>
  /** Limits that may be missing: `memory`, `pids`, `cpus`. Default none: such an engine is passed over. */
  allowReduced?: ('memory' | 'pids' | 'cpus')[]
  /**
   * Boxes made ahead, so that a run finds one waiting: each is used once. They go when nobody took one for a minute.
   * 0 to 16, default 1; each holds about 4 MB with Docker (its monitor and keeper), 0.4 MB in the built-in one.
   */
  pool?: number
  /** Where the tools are kept. Default: the user's cache folder. */
  toolchainDir?: string
}

/** One isolated run. */
export interface SandboxRunOptions {
  /** Program and arguments; there is no shell inside. */
  command: string[]
  /** Files of the working directory, by relative path. A program may write to `out/` and `/tmp` only. */
  files?: Record<string, string | Uint8Array>
  /** A folder whose files are put there first; names that begin with a dot, links and `node_modules` are left out. */
  directory?: string
  /** Given to the program's standard input. */
  stdin?: string | Uint8Array
  /** Milliseconds of wall-clock time. */
  timeout?: number
  /** Files and folders to take out; those that are not there are left out. */
  collect?: string[]
  /** Ends the run; its promise rejects with `AUTON8N_CANCELLED`. */
  signal?: AbortSignal
}

/** How a run ended. */
export interface SandboxRun {
  /** `null` where a signal ended it. */
  exitCode: number | null
  stdout: string
  stderr: string
  /** More was printed than was kept, 1 MiB of each stream. */
  truncated: boolean
  timedOut: boolean
  /** A process of it was killed because memory ran out, by the kernel's own count. */
  oomKilled: boolean
  durationMs: number
  /** What it ran under: `full`, or `reduced: ` and what is missing. */
  isolation: string
  /** The limit that ended it or held it back, by the kernel's counters and not by the exit code; the gravest one. */
  stoppedBy?: 'memory' | 'time' | 'processes' | 'output'
  /** Bytes. */
  peakMemory?: number
  /** Processes and threads at once. */
  peakProcesses?: number
  /** Milliseconds of processor time of all its processes. */
  cpuMs: number
  files: Record<string, Uint8Array>
}

type NativeSandbox = Awaited<ReturnType<ReturnType<typeof native>['SandboxHandle']['open']>>

const LONGEST = 24 * 3600 * 1000

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? undefined : 'a string that is not empty')
const texts = (value: unknown) =>
  Array.isArray(value) && value.every((item) => typeof item === 'string') ? undefined : 'an array of strings'
const size = (value: unknown) =>
  (typeof value === 'string' && value !== '') || (Number.isSafeInteger(value) && (value as number) > 0)
    ? undefined
    : 'a number of bytes or a text such as `512m`'
const positive = (value: unknown) =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? undefined : 'a number above 0'
const whole = (most: number) => (value: unknown) =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most
    ? undefined
    : `a whole number from 1 to ${most}`
const record = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'an object'
const bytes = (value: unknown) =>
  typeof value === 'string' || value instanceof Uint8Array ? undefined : 'a string or a Uint8Array'

/** Runs programs where they can do no harm: no network, no host files, and limits that the kernel holds. */
export class Sandbox {
  readonly #native: NativeSandbox
  readonly #examiner: () => Promise<Engine>
  #examining: Promise<Engine> | undefined
  #next = 0
  #closed = false

  private constructor(opened: NativeSandbox, examiner: () => Promise<Engine>) {
    this.#native = opened
    this.#examiner = examiner
  }

  /**
   * Finds an engine whose limits bind, and makes the image at the first use. Rejects with
   * `AUTON8N_SANDBOX_UNAVAILABLE` where there is none: nothing is ever run outside of one.
   */
  static async open(options?: SandboxOptions): Promise<Sandbox> {
    const checked = checkOptions<SandboxOptions>('options', options, {
      engine: text,
      image: text,
      runtime: text,
      memory: size,
      cpus: positive,
      pids: whole(4096),
      network: (value) => (value === 'none' ? undefined : "'none': a sandbox has no network"),
      tmpfs: size,
      work: size,
      timeout: whole(LONGEST),
      env: record,
      allowReduced: texts,
      pool: (value) =>
        Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 16
          ? undefined
          : 'a whole number from 0 to 16',
      toolchainDir: text,
    })
    const { network: _none, timeout, env, toolchainDir, ...sandbox } = checked
    for (const [name, value] of Object.entries(env ?? {})) {
      if (typeof value !== 'string') throw invalid(`\`options.env.${name}\` must be a string, not ${kindOf(value)}`)
    }
    const node = nodePath()
    const nativeOptions = {
      sandbox,
      keeperPath: keeperPath(),
      packageRoot,
      ...(timeout === undefined ? {} : { timeout }),
      ...(env === undefined ? {} : { env }),
      ...(toolchainDir === undefined ? {} : { toolchainDir: resolve(toolchainDir) }),
      ...(node ? { nodePath: node } : {}),
    }
    // It keeps neither jobs nor spans, so its folder is a name that nothing is written to.
    const dataDir = join(tmpdir(), `auton8n-verify-${randomUUID()}`)
    const tools = toolchainDir === undefined ? {} : { toolchainDir }
    const examiner = (): Promise<Engine> => openEngine({ dataDir, queue: false, tracing: false, sandbox, ...tools })
    return new Sandbox(await nativeCall(() => native().SandboxHandle.open(nativeOptions)), examiner)
  }

  /** What makes the boxes, such as `docker 27.3.1` or `built-in`. */
  get engine(): string {
    return this.#native.engine
  }

  /** `full`, or `reduced: ` and what is missing. */
  get isolation(): string {
    return this.#native.isolation
  }

  /** Runs one command in a box of its own, which is gone when the promise settles. */
  async run(options: SandboxRunOptions): Promise<SandboxRun> {
    if (options === undefined) throw invalid('`options` must be an object, not undefined')
    const { command, files, directory, stdin, timeout, collect, signal } = checkOptions<SandboxRunOptions>(
      'options',
      options,
      {
        command: (value) =>
          texts(value) ?? ((value as string[]).length > 0 ? undefined : 'an array with at least the program'),
        files: record,
        directory: text,
        stdin: bytes,
        timeout: whole(LONGEST),
        collect: texts,
        signal: (value) => (value instanceof AbortSignal ? undefined : 'an AbortSignal'),
      },
    )
    if (command === undefined) throw invalid('`options.command` must be an array of strings, not undefined')
    const request = {
      command,
      files: Object.entries(files ?? {}).map(([path, content]) => ({ path, data: toBytes(`files.${path}`, content) })),
      collect: collect ?? [],
      ...(directory === undefined ? {} : { directory: resolve(directory) }),
      ...(stdin === undefined ? {} : { stdin: toBytes('stdin', stdin) }),
      ...(timeout === undefined ? {} : { timeout }),
    }
    if (signal?.aborted) {
      const message = 'The command was cancelled before it started.'
      throw new Auton8nError('AUTON8N_CANCELLED', message, { cause: signal.reason })
    }
    const id = this.#next++
    const abort = () => this.#native.cancel(id)
    const running = nativeCall(() => this.#native.run(id, request))
    signal?.addEventListener('abort', abort, { once: true })
    try {
      const { exitCode, stoppedBy, peakMemory, peakProcesses, processorMs, files: collected, ...rest } = await running
      return {
        exitCode: exitCode ?? null,
        ...rest,
        isolation: this.isolation,
        ...(stoppedBy == null ? {} : { stoppedBy: stoppedBy as NonNullable<SandboxRun['stoppedBy']> }),
        ...(peakMemory == null ? {} : { peakMemory }),
        ...(peakProcesses == null ? {} : { peakProcesses }),
        cpuMs: processorMs,
        files: toRecord(collected),
      }
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /**
   * The pipeline's own checks on a plugin project that exists already, in boxes with this sandbox's limits; each check
   * has its own time and environment. Without a specification what depends on one is `inconclusive`, never passed.
   */
  async verify(directory: string, specification?: PluginSpecification): Promise<CreationReport> {
    if (this.#closed) throw new Auton8nError('AUTON8N_CLOSED', 'This sandbox was closed; open another one.')
    this.#examining ??= this.#examiner().catch((error: unknown) => {
      this.#examining = undefined
      throw error
    })
    return await (await this.#examining).verify(directory, specification)
  }

  /** Ends all runs, whose promises reject with `AUTON8N_CLOSED`, and removes their boxes. */
  async close(): Promise<void> {
    this.#closed = true
    const engine = await this.#examining?.catch(() => undefined)
    await Promise.all([nativeCall(() => this.#native.close()), engine?.close()])
  }
}

function toBytes(what: string, content: unknown): Uint8Array {
  if (typeof content === 'string') return new TextEncoder().encode(content)
  if (content instanceof Uint8Array) return content
  throw invalid(`\`options.${what}\` must be a string or a Uint8Array, not ${kindOf(content)}`)
}

/** A file may be called `__proto__`, so no name is assigned. */
function toRecord(files: { path: string; data: Uint8Array }[]): Record<string, Uint8Array> {
  return Object.fromEntries(files.map(({ path, data }) => [path, data]))
}
