import { readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Auton8nError, nativeCall } from '../errors.js'
import { native } from '../native.js'
import { checkOptions, invalid, kindOf } from './options.js'
import type { Severity } from './scanner.js'

/** One thing that was found about a dependency. */
export interface DependencyFinding {
  code:
    | 'blocked'
    | 'look-alike'
    | 'non-registry'
    | 'vulnerable'
    | 'deprecated'
    | 'too-new'
    | 'unpinned'
    | 'install-script'
    | 'unknown'
  package: string
  /** What was asked for, without credentials. */
  range: string
  /** What would be installed, where it is known. */
  version?: string
  /** The packages that lead to it, from the one that the manifest names to itself. */
  path: string[]
  severity: Severity
  reason: string
  fix?: string
  /** The identifier of the advisory. */
  advisory?: string
}

/** What was found about the dependencies of a package. */
export interface DependencyReport {
  /** `failed` where a finding refuses, `unknown` where something could not be told; `deprecated` alone passes. */
  verdict: 'passed' | 'failed' | 'unknown'
  /** The day of the advisories that were looked at, such as `2026-01-31`. */
  advisoriesAsOf?: string
  findings: DependencyFinding[]
  /** Packages that were judged. */
  packages: number
  /** What advisories say: for how many packages which of the three answers. */
  answers: { vulnerable: number; clean: number; unknown: number }
}

/** How dependencies are to be checked. */
export interface CheckDependenciesOptions {
  /** A `package-lock.json` (version 2 or 3), parsed or as text. Default: the one beside `packageJson`, if that is a path. */
  lock?: object | string
  /** Ask nobody: what is on this machine has to do. Default false. */
  offline?: boolean
  /** Asked instead of the registries of your npm configuration. */
  registry?: string
  /** The file of advisories. Default: `AUTON8N_ADVISORIES`, else the one that `auton8n advisories update` keeps. */
  advisories?: string
  /** How long a version must have been public, in milliseconds. 0 switches the rule off. Default a day. */
  minimumAge?: number
  /** What is accepted: `name` or `name@range`; behind a code (`blocked:name`) also what is bad for certain. */
  allow?: string[]
  /** Scopes that are your own: no package in them is taken for a look-alike. */
  scopes?: string[]
  /** Dependencies that are left out. */
  omit?: ('dev' | 'optional' | 'peer')[]
  /** Milliseconds that asking the registry may take in all. Default a minute. */
  timeout?: number
  signal?: AbortSignal
}

/** What an update of the advisories brought. */
export interface AdvisoriesUpdate {
  path: string
  bytes: number
  archiveSha256: string
  header: { source: string; date: string; advisories: number; packages: number; skipped: number }
}

/** The longest time that a check may be given: an hour. */
const LONGEST = 3_600_000
const MAX_FILE = 128 << 20

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? undefined : 'a string that is not empty')
const flag = (value: unknown) => (typeof value === 'boolean' ? undefined : 'a boolean')
const texts = (value: unknown) =>
  Array.isArray(value) && value.every((one) => typeof one === 'string') ? undefined : 'an array of strings'
const whole = (least: number, most: number) => (value: unknown) =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most
    ? undefined
    : `a whole number from ${least} to ${most}`
const signalCheck = (value: unknown) => (value instanceof AbortSignal ? undefined : 'an AbortSignal')

/**
 * Judges what a package depends on: names, sources, versions and advisories. It installs nothing, writes nothing and
 * runs nothing of what it fetches.
 *
 * `packageJson` is the parsed manifest, its text, or the path of it or of its folder. Without a lock file the tree is
 * put together from the registry; offline only what the manifest names is judged, and the report says so.
 */
export async function checkDependencies(
  packageJson: object | string,
  options?: CheckDependenciesOptions,
): Promise<DependencyReport> {
  const checked = checkOptions<CheckDependenciesOptions>('options', options, {
    lock: (value) => (text(value) && !isObject(value) ? 'an object or a text' : undefined),
    offline: flag,
    registry: text,
    advisories: text,
    minimumAge: whole(0, Number.MAX_SAFE_INTEGER),
    allow: texts,
    scopes: texts,
    omit: texts,
    timeout: whole(1, LONGEST),
    signal: signalCheck,
  })
  const { lock, signal, ...rest } = checked
  const found = await manifestOf(packageJson)
  const locked = lock === undefined ? found.lock : jsonOf('options.lock', lock)
  const request = {
    manifest: found.manifest,
    ...(locked === undefined ? {} : { lock: locked }),
    ...(found.project === undefined ? {} : { project: found.project }),
    options: { ...rest, ...(rest.advisories === undefined ? {} : { advisories: resolve(rest.advisories) }) },
  }
  return await cancellable<DependencyReport>(signal, (cancel) => native().checkDependencies(request, cancel))
}

/** Fetches all of npm's advisories from osv.dev, or from another place, and makes the file that checks look into. */
export async function updateAdvisories(options?: {
  /** The address or path of an archive in OSV's form. Default: osv.dev's of npm. */
  from?: string
  /** What the SHA-256 of the archive must be, in hex. */
  sha256?: string
  /** Where the file is put. Default: where checks look for it. */
  to?: string
  signal?: AbortSignal
}): Promise<AdvisoriesUpdate> {
  const { signal, to, ...rest } = checkOptions('options', options, {
    from: text,
    sha256: (value: unknown) => (/^[0-9a-f]{64}$/i.test(String(value)) ? undefined : '64 hexadecimal digits'),
    to: text,
    signal: signalCheck,
  }) as { from?: string; sha256?: string; to?: string; signal?: AbortSignal }
  const request = { ...rest, ...(to === undefined ? {} : { to: resolve(to) }) }
  return await cancellable<AdvisoriesUpdate>(signal, (cancel) => native().updateAdvisories(request, cancel))
}

type Cancel = InstanceType<ReturnType<typeof native>['DependencyCancel']>

async function cancellable<T>(signal: AbortSignal | undefined, call: (cancel: Cancel) => Promise<string>): Promise<T> {
  const cancelled = (): Auton8nError =>
    new Auton8nError('AUTON8N_CANCELLED', 'The check was cancelled.', { cause: signal?.reason as unknown })
  if (signal?.aborted) throw cancelled()
  return await nativeCall(async () => {
    const cancel = new (native().DependencyCancel)()
    const abort = (): void => cancel.cancel()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      return JSON.parse(await call(cancel)) as T
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  })
}

interface Read {
  manifest: string
  lock?: string
  project?: string
}

async function manifestOf(packageJson: unknown): Promise<Read> {
  if (isObject(packageJson)) return { manifest: jsonOf('packageJson', packageJson) }
  if (typeof packageJson !== 'string' || packageJson === '') {
    throw invalid(`\`packageJson\` must be a manifest, its text or its path, not ${kindOf(packageJson)}`)
  }
  if (packageJson.trimStart().startsWith('{')) return { manifest: packageJson }
  const path = resolve(packageJson)
  const file = (await isDirectory(path)) ? join(path, 'package.json') : path
  const project = dirname(file)
  const lock = await read(join(project, 'package-lock.json')).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unreadable(join(project, 'package-lock.json'), error)
  })
  const manifest = await read(file).catch((error: unknown) => {
    throw unreadable(file, error)
  })
  return { manifest, project, ...(lock === undefined ? {} : { lock }) }
}

async function read(path: string): Promise<string> {
  const { size } = await stat(path)
  if (size > MAX_FILE) throw new Error(`it has ${size} bytes; at most ${MAX_FILE} are read`)
  return await readFile(path, 'utf8')
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

function unreadable(path: string, cause: unknown): Auton8nError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new Auton8nError('AUTON8N_FILE_UNREADABLE', `${path} cannot be read: ${why}.`, { cause })
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function jsonOf(what: string, value: object | string): string {
  if (typeof value === 'string') return value
  try {
    return JSON.stringify(value)
  } catch (cause) {
    throw new Auton8nError('AUTON8N_OPTION_INVALID', `\`${what}\` cannot be written as JSON.`, { cause })
  }
}
