import { Auton8nError, nativeCall, nativeCallSync } from '../errors.js'
import { native } from '../native.js'

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

const SEVERITIES: readonly string[] = ['low', 'medium', 'high', 'critical']

type Check = (value: unknown) => boolean

const isString: Check = (value) => typeof value === 'string'
const isBoolean: Check = (value) => typeof value === 'boolean'
const isNumber: Check = (value) => typeof value === 'number'
const isSeverity: Check = (value) => typeof value === 'string' && SEVERITIES.includes(value)
const isStrings: Check = (value) => Array.isArray(value) && value.every(isString)
const isPattern: Check = (value) => typeof value === 'string' || value instanceof RegExp
const isBytes: Check = (value) => Number.isSafeInteger(value) && (value as number) > 0

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof RegExp)
}

function invalid(option: string, what: string): Auton8nError {
  return new Auton8nError('AUTON8N_OPTION_INVALID', `The option ${option} ${what}.`, { details: { option } })
}

/** The fields of `value` that are given, each checked; an unknown one is an error that names it. */
function fields(
  where: string,
  value: unknown,
  known: Record<string, readonly [Check, string]>,
): Record<string, unknown> {
  if (!isObject(value)) throw invalid(where, 'must be an object')
  const out: Record<string, unknown> = {}
  for (const [key, given] of Object.entries(value)) {
    const name = where === 'options' ? key : `${where}.${key}`
    const check = Object.hasOwn(known, key) ? known[key] : undefined
    if (!check) throw invalid(name, `is not known; there are ${Object.keys(known).join(', ')}`)
    if (given === undefined) continue
    if (!check[0](given)) throw invalid(name, `must be ${check[1]}`)
    out[key] = given
  }
  return out
}

/** The source of an expression, with those flags that matter here in front. */
function source(pattern: string | RegExp): string {
  if (typeof pattern === 'string') return pattern
  const flags = [...pattern.flags].filter((flag) => 'ims'.includes(flag)).join('')
  return flags ? `(?${flags})${pattern.source}` : pattern.source
}

function customRule(where: string, value: unknown): Record<string, unknown> {
  const rule = fields(where, value, {
    name: [isString, 'a string'],
    pattern: [isPattern, 'a string or a RegExp'],
    severity: [isSeverity, `one of ${SEVERITIES.join(', ')}`],
    description: [isString, 'a string'],
  })
  if (rule['name'] === undefined) throw invalid(`${where}.name`, 'is needed')
  if (rule['pattern'] === undefined) throw invalid(`${where}.pattern`, 'is needed')
  return { ...rule, pattern: source(rule['pattern'] as string | RegExp) }
}

function allowed(where: string, value: unknown): unknown {
  if (typeof value === 'string') return value
  if (value instanceof RegExp) return { regex: source(value) }
  const entry = fields(where, value, {
    path: [isString, 'a string'],
    rule: [isString, 'a string'],
    value: [isString, 'a string'],
    regex: [isPattern, 'a string or a RegExp'],
    fingerprint: [isString, 'a string'],
  })
  return entry['regex'] === undefined ? entry : { ...entry, regex: source(entry['regex'] as string | RegExp) }
}

function scannerOptions(value: unknown): Record<string, unknown> {
  const options = fields('options', value, {
    rules: [(given) => Array.isArray(given) || isString(given), 'a list of rules or a TOML text'],
    disable: [isStrings, 'a list of rule ids'],
    entropy: [(given) => isBoolean(given) || isNumber(given) || isObject(given), 'a boolean, a number or an object'],
    allowlist: [Array.isArray, 'a list'],
    minSeverity: [isSeverity, `one of ${SEVERITIES.join(', ')}`],
    minConfidence: [(given) => typeof given === 'number' && given >= 0 && given <= 1, 'a number from 0 to 1'],
    maxFileSize: [isBytes, 'a whole number of bytes, at least 1'],
    reveal: [isBoolean, 'a boolean'],
    allowComments: [isBoolean, 'a boolean'],
  })
  if (Array.isArray(options['rules'])) {
    options['rules'] = options['rules'].map((rule, index) => customRule(`rules[${index}]`, rule))
  }
  if (Array.isArray(options['allowlist'])) {
    options['allowlist'] = options['allowlist'].map((entry, index) => allowed(`allowlist[${index}]`, entry))
  }
  const entropy = options['entropy']
  if (isObject(entropy)) {
    options['entropy'] = fields('entropy', entropy, {
      threshold: [(given) => typeof given === 'number' && given >= 0 && given <= 8, 'a number from 0 to 8'],
      minLength: [(given) => Number.isInteger(given), 'a whole number from 8 to 256'],
    })
  } else if (typeof entropy === 'number' && !(entropy >= 0 && entropy <= 8)) {
    throw invalid('entropy', 'must be a number from 0 to 8')
  }
  return options
}

function text(what: string, value: unknown): string {
  if (typeof value !== 'string') throw invalid(what, 'must be a string')
  return value
}

/** Names and texts in turn, as the addon takes them. */
function pairs(what: string, entries: Iterable<[unknown, unknown]>): string[] {
  const out: string[] = []
  for (const [name, value] of entries) {
    if (value === undefined) continue
    if (typeof name !== 'string') throw invalid(what, 'must have strings as names')
    if (typeof value !== 'string') throw invalid(`${what}[${JSON.stringify(name)}]`, 'must be a string')
    out.push(name, value)
  }
  return out
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

  /** Scans files that are in memory: names and texts. */
  scanFiles(files: Map<string, string> | Record<string, string>): ScanResult {
    if (!(files instanceof Map) && !isObject(files)) throw invalid('files', 'must be a Map or an object')
    const flat = pairs('files', files instanceof Map ? files : Object.entries(files))
    return JSON.parse(nativeCallSync(() => this.#scanner.scanFiles(flat))) as ScanResult
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
    return nativeCallSync(() => this.#scanner.redactText(text('text', content)))
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
