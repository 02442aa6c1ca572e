import { Auton8nError } from '../errors.js'

const SEVERITIES: readonly string[] = ['low', 'medium', 'high', 'critical']

type Check = (value: unknown) => boolean

const isString: Check = (value) => typeof value === 'string'
export const isBoolean: Check = (value) => typeof value === 'boolean'
const isNumber: Check = (value) => typeof value === 'number'
const isSeverity: Check = (value) => typeof value === 'string' && SEVERITIES.includes(value)
export const isStrings: Check = (value) => Array.isArray(value) && value.every(isString)
const isPattern: Check = (value) => typeof value === 'string' || value instanceof RegExp
export const isBytes: Check = (value) => Number.isSafeInteger(value) && (value as number) > 0

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof RegExp)
}

export function invalid(option: string, what: string): Auton8nError {
  return new Auton8nError('AUTON8N_OPTION_INVALID', `The option ${option} ${what}.`, { details: { option } })
}

/** The fields of `value` that are given, each checked; an unknown one is an error that names it. */
export function fields(
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

export function customRule(where: string, value: unknown): Record<string, unknown> {
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

export function scannerOptions(value: unknown): Record<string, unknown> {
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

export function text(what: string, value: unknown): string {
  if (typeof value !== 'string') throw invalid(what, 'must be a string')
  return value
}

/** Names and texts in turn, as the addon takes them. */
export function pairs(what: string, entries: Iterable<[unknown, unknown]>): string[] {
  const out: string[] = []
  for (const [name, value] of entries) {
    if (value === undefined) continue
    if (typeof name !== 'string') throw invalid(what, 'must have strings as names')
    if (typeof value !== 'string') throw invalid(`${what}[${JSON.stringify(name)}]`, 'must be a string')
    out.push(name, value)
  }
  return out
}
