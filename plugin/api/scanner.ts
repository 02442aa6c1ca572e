import { Auton8nError, nativeCall, nativeCallSync } from '../errors.js'
import { native } from '../native.js'
import {
  customRule,
  fields,
  invalid,
  isBoolean,
  isBytes,
  isObject,
  isStrings,
  pairs,
  scannerOptions,
  text,
} from './scanner-options.js'

/** How bad a leak is. */
export type Severity = 'low' | 'medium' | 'high' | 'critical'

/** One secret at one place. Lines and columns count from 1, columns in UTF-16 units; the end is exclusive. */
export interface Finding {
  /** The kind of secret, in words. */
  type: string
  /** The id of the rule. */
  rule: string
  severity: Severity
  /** The secret without its middle. */
  redacted: string
  line: number
  column: number
  endLine: number
  /** The column after the last character. */
  endColumn: number
  /** The file, relative to the scanned directory; `env:NAME` for a variable. */
  file?: string
  /** The same for the same secret in the same file, whatever line it stands on. */
  fingerprint: string
  /** The same for the same secret of the same kind in whatever file. */
  identity: string
  /** From 0 to 1. */
  confidence: number
  /** The secret itself, only with `reveal`. */
  match?: string
}

/** What a scan found and what it read. */
export interface ScanResult {
  found: boolean
  secrets: Finding[]
  /** Texts, files or variables that were read. */
  filesScanned: number
  bytesScanned: number
  /** Files of a directory that were not read, and why: `binary`, `too large` or what the system said. */
  skipped?: { file: string; reason: string }[]
}

/** A rule of your own. */
export interface SecretPattern {
  /** Also its rule id, with blanks as `-`. */
  name: string
  /** A regular expression without look-around and back-references; a group named `secret` is the part to report. */
  pattern: string | RegExp
  /** Default: `medium`. */
  severity?: Severity
  description?: string
}

/** A rule as `getPatterns()` lists it. */
export interface PatternInfo {
  rule: string
  name: string
  pattern: string
  severity: Severity
  description: string
}

/** A known finding: all the fields that are given must fit. */
export interface AllowlistEntry {
  /** A glob; without `/` it fits a name in any directory. */
  path?: string
  /** The id of a built-in rule or of one in `rules`, `*` at the end stands for any ending; another one is refused. */
  rule?: string
  value?: string
  regex?: string | RegExp
  fingerprint?: string
}

/** Options of a scanner; a wrong one is `AUTON8N_OPTION_INVALID`. */
export interface SecretsScannerOptions {
  /**
   * Rules beside the built-in ones, as objects or as a TOML text with `[[rule]]` tables of the same fields; such a text
   * may also have a list `disable` and `[[allowlist]]` tables.
   */
  rules?: SecretPattern[] | string
  /** Ids of built-in rules that are not used; `*` at the end stands for any ending. */
  disable?: string[]
  /** Guesses from randomness: off, on, the least bits a character (3), or that and the least length (16). */
  entropy?: boolean | number | { threshold?: number; minLength?: number }
  /** Accepted findings: exact values, expressions that fit in the value, or entries. */
  allowlist?: (string | RegExp | AllowlistEntry)[]
  /** Default: `low`. */
  minSeverity?: Severity
  /** From 0 to 1. Default: 0.2. */
  minConfidence?: number
  /** Bytes; larger files of a directory are skipped and listed. Default: none is too large. */
  maxFileSize?: number
  /** Whether findings carry the secret itself as `match`. Default: false. */
  reveal?: boolean
  /** Whether a comment such as `auton8n:allow` silences its line. Default: true. */
  allowComments?: boolean
}

/** Options of `scanDirectory`. */
export interface ScanDirectoryOptions {
  /** Leave out what `.gitignore` files leave out. Default: false. */
  gitignore?: boolean
  /** Globs, as in a `.gitignore`, of what is left out. */
  exclude?: string[]
  /** Bytes; instead of the scanner's own. */
  maxFileSize?: number
}

/** A synchronous call whose `AUTON8N_PATTERN_INVALID` also has the position in `details`, counted in UTF-16 units. */
function withPosition<T>(call: () => T): T {
  try {
    return nativeCallSync(call)
  } catch (error) {
    if (error instanceof Auton8nError && error.code === 'AUTON8N_PATTERN_INVALID') {
      const position = Number(/ at position (\d+): /.exec(error.message)?.[1] ?? 0)
      throw new Auton8nError(error.code, error.message, { cause: error.cause, details: { position } })
    }
    throw error
  }
}

/** What several scans found, in the order of one. */
export function joined(results: ScanResult[]): ScanResult {
  const secrets = results.flatMap((one) => one.secrets)
  const order = (one: Finding, other: Finding): number =>
    Buffer.compare(Buffer.from(one.file ?? ''), Buffer.from(other.file ?? '')) ||
    one.line - other.line ||
    one.column - other.column
  const skipped = results.flatMap((one) => one.skipped ?? [])
  return {
    found: secrets.length > 0,
    secrets: secrets.toSorted(order),
    filesScanned: results.reduce((sum, one) => sum + one.filesScanned, 0),
    bytesScanned: results.reduce((sum, one) => sum + one.bytesScanned, 0),
    ...(skipped.length > 0 ? { skipped } : {}),
  }
}

/** Finds secrets in texts, files, trees and variables, and takes them out of what is logged. */
export class SecretsScanner {
  readonly #scanner: InstanceType<ReturnType<typeof native>['NativeScanner']>

  constructor(options: SecretsScannerOptions = {}) {
    const checked = scannerOptions(options)
    this.#scanner = withPosition(() => new (native().NativeScanner)(checked))
  }

  /** Scans one text, whole; synchronous, since it takes microseconds. `file` helps to judge and is reported. */
  scanText(content: string, file?: string): ScanResult {
    text('text', content)
    if (file !== undefined) text('file', file)
    return JSON.parse(nativeCallSync(() => this.#scanner.scanText(content, file))) as ScanResult
  }

  /**
   * Scans files that are in memory: names, and texts or bytes. A text is read whatever it holds; bytes are read as a
   * file of a directory is: UTF-8 or UTF-16, and a binary one is listed in `skipped`.
   */
  scanFiles(files: Map<string, string | Uint8Array> | Record<string, string | Uint8Array>): ScanResult {
    if (!(files instanceof Map) && !isObject(files)) throw invalid('files', 'must be a Map or an object')
    const all = [...(files instanceof Map ? files : Object.entries(files))]
    const blobs = all.filter((one): one is [string, Uint8Array] => one[1] instanceof Uint8Array)
    const flat = pairs('files', all.filter(([, content]) => !(content instanceof Uint8Array)) as [string, string][])
    const names = blobs.map(([name]) => text('files', name))
    const texts = (): ScanResult => JSON.parse(nativeCallSync(() => this.#scanner.scanFiles(flat))) as ScanResult
    if (blobs.length === 0) return texts()
    const bytes = blobs.map(([, content]) => content)
    const read = JSON.parse(nativeCallSync(() => this.#scanner.scanBlobs(names, bytes))) as ScanResult
    return flat.length === 0 ? read : joined([texts(), read])
  }

  /**
   * Scans a directory, or one file, on several threads. Links are not followed and `.git` is left out; binary and too
   * large files are listed in `skipped`. Rejects with `AUTON8N_FILE_UNREADABLE` where the path cannot be read.
   */
  async scanDirectory(path: string, options: ScanDirectoryOptions = {}): Promise<ScanResult> {
    if (text('path', path) === '') throw invalid('path', 'must not be empty')
    const checked = fields('options', options, {
      gitignore: [isBoolean, 'a boolean'],
      exclude: [isStrings, 'a list of globs'],
      maxFileSize: [isBytes, 'a whole number of bytes, at least 1'],
    })
    return JSON.parse(await nativeCall(() => this.#scanner.scanDirectory(path, checked))) as ScanResult
  }

  /** Scans variables, such as `process.env`; the `file` of a finding is `env:` and the name. */
  validateEnvironmentVariables(env: Record<string, string | undefined>): ScanResult {
    if (!isObject(env)) throw invalid('env', 'must be an object')
    const flat = pairs('env', Object.entries(env))
    return JSON.parse(nativeCallSync(() => this.#scanner.scanEnvironment(flat))) as ScanResult
  }

  /** A secret without its middle: below 16 characters nothing of it stays, else two or four at each end. */
  redactSecret(secret: string): string {
    return nativeCallSync(() => this.#scanner.redactSecret(text('secret', secret)))
  }

  /** A text without its secrets; doing it twice changes nothing. */
  redactSecretsInText(content: string): string {
    return nativeCallSync(() => this.#scanner.redactText(text('text', content))) ?? content
  }

  /** Adds a rule, or replaces the one of that name that was added before. A bad pattern: `AUTON8N_PATTERN_INVALID`. */
  addPattern(pattern: SecretPattern): void {
    const rule = customRule('pattern', pattern)
    withPosition(() => this.#scanner.addPattern(rule))
  }

  /** All rules that are used, the built-in ones first. */
  getPatterns(): PatternInfo[] {
    return JSON.parse(nativeCallSync(() => this.#scanner.patterns())) as PatternInfo[]
  }
}
