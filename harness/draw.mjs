// What the judge asks with: drawn afresh from the seed of a run, so that no plugin can know it beforehand.
import { createHash } from 'node:crypto'

/**
 * @typedef {{ type?: 'string'|'number'|'integer'|'boolean', required?: boolean, enum?: unknown[],
 *   default?: unknown }} Parameter
 * @typedef {Record<string, unknown>} Values
 * @typedef {'number'|'string'|'object'|'array'} ResultKind
 */

/** A stream of numbers that only the seed decides. */
export class Random {
  #seed
  #block = 0
  #bytes = Buffer.alloc(0)

  /** @param {string} seed */
  constructor(seed) {
    this.#seed = seed
  }

  /** Whole number from 0 to below `limit` (at most 2^32). @param {number} limit */
  below(limit) {
    if (this.#bytes.length < 6) {
      this.#bytes = createHash('sha256').update(`${this.#block}\n${this.#seed}`).digest()
      this.#block += 1
    }
    const value = this.#bytes.readUIntBE(0, 6)
    this.#bytes = this.#bytes.subarray(6)
    return value % limit
  }

  /** Whole number, both ends included. @param {number} low @param {number} high */
  between(low, high) {
    return low + this.below(high - low + 1)
  }

  /** @template T @param {readonly T[]} list @returns {T} */
  pick(list) {
    return /** @type {T} */ (list[this.below(list.length)])
  }

  /** Letters only. @param {number} length @param {string} [alphabet] */
  word(length, alphabet = 'abcdefghijkmnopqrstuvwxyz') {
    let word = ''
    while (word.length < length) word += alphabet[this.below(alphabet.length)]
    return word
  }

  hex() {
    return this.word(20, '0123456789abcdef')
  }
}

/**
 * A value that the parameter allows.
 * @param {Random} random @param {string} name @param {Parameter} parameter
 * @param {boolean} [awkward] a free text then holds characters that must be escaped in an address
 */
export function drawParameter(random, name, parameter, awkward = false) {
  if (parameter.enum && parameter.enum.length > 0) return random.pick(parameter.enum)
  switch (parameter.type) {
    case 'number':
      return random.between(1, 79) + random.between(1, 99) / 100
    case 'integer':
      return random.between(2, 12)
    case 'boolean':
      return random.below(2) === 1
    default:
      return drawText(random, name, awkward)
  }
}

/** @param {Random} random @param {string} name @param {boolean} awkward */
function drawText(random, name, awkward) {
  if (/e-?mail/i.test(name)) return `${random.word(8)}@example.com`
  if (/ur[il]|link|website/i.test(name)) return `https://example.com/${random.word(8)}`
  if (/date/i.test(name)) return `2024-0${random.between(1, 9)}-${random.between(10, 28)}`
  if (/currency|code|symbol/i.test(name)) return random.word(3, 'ABCDEFGHJKLMNPQRSTUVWXYZ')
  const word = random.word(random.between(6, 9))
  return awkward ? `${word} & ${random.word(4)}?` : word
}

/**
 * Values for all parameters. The later ones of several draws differ from the first: free texts need escaping, and
 * what has a default is left out.
 * @param {Random} random @param {Record<string, Parameter>} parameters @param {number} turn 0 for the first draw
 * @param {Set<string>} [plain] parameters that are part of a host name
 * @returns {Values}
 */
export function drawParameters(random, parameters, turn, plain = new Set()) {
  /** @type {[string, unknown][]} */
  const entries = []
  for (const [name, parameter] of Object.entries(parameters)) {
    if (turn > 0 && parameter.default !== undefined && parameter.default !== null) continue
    entries.push([name, drawParameter(random, name, parameter, turn > 0 && !plain.has(name))])
  }
  return Object.fromEntries(entries)
}

/**
 * One call per way in which the parameters can be wrong.
 * @param {Random} random @param {Record<string, Parameter>} parameters
 * @returns {{ what: string, values: Values }[]}
 */
export function drawWrongParameters(random, parameters) {
  const wrong = []
  for (const [name, parameter] of Object.entries(parameters)) {
    const values = drawParameters(random, parameters, 0)
    const hasDefault = parameter.default !== undefined && parameter.default !== null
    if (parameter.required && !hasDefault) {
      const rest = Object.fromEntries(Object.entries(values).filter(([key]) => key !== name))
      wrong.push({ what: `without the required parameter ${name}`, values: rest })
    }
    if (parameter.type === 'number' || parameter.type === 'integer') {
      wrong.push({ what: `with a text for the number ${name}`, values: { ...values, [name]: random.word(7) } })
    } else if (parameter.enum && parameter.enum.length > 0 && (parameter.type ?? 'string') === 'string') {
      const what = `with a value of ${name} that is not allowed`
      wrong.push({ what, values: { ...values, [name]: random.word(11) } })
    }
  }
  return wrong
}

/**
 * Settings of the plugin.
 * @param {Random} random @param {{ name: string }[]} variables @returns {Record<string, string>}
 */
export function drawSettings(random, variables) {
  return Object.fromEntries(
    variables.map(({ name }) => [
      name,
      /ur[il]$|endpoint|host$/i.test(name) ? `https://${random.word(10)}.example.com` : `v-${random.hex()}`,
    ]),
  )
}

/**
 * The kinds of value worth trying at a result path, the likeliest first: the specification does not say which.
 * @param {string} path @returns {ResultKind[]}
 */
export function likelyKinds(path) {
  if (path === '') return ['object', 'array']
  const last = path.replace(/\[\d+\]$/, '').split('.').pop() ?? ''
  if (/name|title|text|desc|url|link|id$|status|message|date|time|joke|quote|answer|summary|content/i.test(last)) {
    return ['string', 'number', 'object', 'array']
  }
  return ['number', 'string', 'object', 'array']
}

/** @param {Random} random @param {ResultKind} kind */
export function drawResult(random, kind) {
  switch (kind) {
    case 'number':
      return random.between(1000, 999_999) + random.between(1, 99) / 100
    case 'string':
      return `${random.word(6)} ${random.word(8)}`
    case 'object':
      return { [random.word(5)]: random.word(9), [random.word(6)]: random.between(1, 9999) }
    case 'array':
      return [random.word(7), random.word(8)]
  }
}

/** `a.b[0].c` as its steps. @param {string} path @returns {(string|number)[]} */
export function parsePath(path) {
  /** @type {(string|number)[]} */
  const steps = []
  for (const part of path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)) {
    if (part[1] !== undefined) steps.push(Math.min(Number(part[1]), 999))
    else if (part[2] !== undefined) steps.push(part[2])
  }
  return steps
}

/** Values that one answer may hold besides the one that is asked for, however large its indexes are. */
const MAX_DECOYS = 1000

/**
 * A JSON answer with `value` at `path`, among other values that a careless plugin might take for it.
 * @param {Random} random @param {string} path @param {unknown} value @returns {unknown}
 */
export function buildAnswer(random, path, value) {
  const left = { decoys: MAX_DECOYS }
  return parsePath(path).reduceRight((inner, step) => {
    if (typeof step === 'number') {
      const before = left.decoys
      const other = decoy(random, inner, left)
      // One stands for all; only the first and the last place have it where it is too large for that.
      const isSmall = (before - left.decoys) * step <= MAX_DECOYS
      return [...Array.from({ length: step }, (_none, at) => (isSmall || at === 0 ? other : null)), inner, other]
    }
    return { [`${random.word(6)}_1`]: random.between(1, 999), [step]: inner, [`${random.word(6)}_2`]: random.word(6) }
  }, value)
}

/**
 * Of the shape of `like`, with other leaves, as long as there are some left.
 * @param {Random} random @param {unknown} like @param {{ decoys: number }} left @returns {unknown}
 */
function decoy(random, like, left) {
  if (left.decoys <= 0) return null
  left.decoys -= 1
  if (Array.isArray(like)) return like.slice(0, left.decoys).map((item) => decoy(random, item, left))
  if (like !== null && typeof like === 'object') {
    return Object.fromEntries(Object.entries(like).map(([key, item]) => [key, decoy(random, item, left)]))
  }
  return typeof like === 'number' ? random.between(1, 999) : random.word(6)
}

/**
 * The name of an action that nobody asked for, of the look of one.
 * @param {Random} random @param {Set<string>} taken
 */
export function drawCanary(random, taken) {
  for (;;) {
    const verb = random.pick(['GET', 'FIND', 'CHECK', 'LIST', 'SHOW', 'SEND', 'CONVERT', 'SEARCH'])
    const name = `${verb}_${random.word(random.between(4, 7)).toUpperCase()}`
    if (!taken.has(name)) return name
  }
}
