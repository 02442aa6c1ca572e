// A generator of numbers that gives the same for the same seed, and strings drawn with it.
import { createHash } from 'node:crypto'

export const DIGITS = '0123456789'
export const HEX = '0123456789abcdef'
export const LOWER = 'abcdefghijklmnopqrstuvwxyz'
export const UPPER = LOWER.toUpperCase()
export const LETTERS = UPPER + LOWER
export const BASE62 = DIGITS + UPPER + LOWER
export const BASE64 = UPPER + LOWER + DIGITS + '+/'
export const URL64 = BASE62 + '_-'
export const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
export const BASE32 = UPPER + '234567'

export class Random {
  #state
  constructor(seed) {
    const hash = createHash('sha256').update(`corpus ${seed}`).digest()
    this.#state = [0, 4, 8, 12].map((at) => hash.readUInt32LE(at))
  }

  /** 32 bits, by sfc32. */
  next() {
    const s = this.#state
    const t = (s[0] + s[1] + s[3]) | 0
    s[3] = (s[3] + 1) | 0
    s[0] = s[1] ^ (s[1] >>> 9)
    s[1] = (s[2] + (s[2] << 3)) | 0
    s[2] = ((s[2] << 21) | (s[2] >>> 11)) + t
    return t >>> 0
  }

  below(count) {
    return Math.floor((this.next() / 2 ** 32) * count)
  }

  between(least, most) {
    return least + this.below(most - least + 1)
  }

  chance(share) {
    return this.next() / 2 ** 32 < share
  }

  pick(list) {
    return list[this.below(list.length)]
  }

  text(alphabet, length) {
    let text = ''
    for (let i = 0; i < length; i++) text += alphabet[this.below(alphabet.length)]
    return text
  }

  bytes(length) {
    return Buffer.from(Array.from({ length }, () => this.below(256)))
  }

  shuffle(list) {
    const all = [...list]
    for (let i = all.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      ;[all[i], all[j]] = [all[j], all[i]]
    }
    return all
  }
}
