import { randomFillSync } from 'node:crypto'

/**
 * xoshiro128** of Blackman and Vigna (2018), seeded by the system: asking the system for each id would cost more
 * than the rest of the span. Ids name things and keep no secret.
 */
const seed = randomFillSync(new Int32Array(4))
let a = (seed[0] as number) | 1
let b = seed[1] as number
let c = seed[2] as number
let d = seed[3] as number

/** 32 random bits, as a signed number: so it is kept without an object of its own. */
export function draw(): number {
  const product = Math.imul(b, 5)
  const drawn = Math.imul((product << 7) | (product >>> 25), 9)
  const shifted = b << 9
  c ^= a
  d ^= b
  b ^= c
  a ^= d
  c ^= shifted
  d = (d << 11) | (d >>> 21)
  return drawn
}

/** The two digits of each byte: writing them anew would take most of the time of a span that is read. */
const BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hex(bits: number): string {
  return (
    (BYTES[bits >>> 24] as string) +
    (BYTES[(bits >>> 16) & 255] as string) +
    (BYTES[(bits >>> 8) & 255] as string) +
    (BYTES[bits & 255] as string)
  )
}

/** The 32 bits that eight hexadecimal digits from `at` on say. */
export const bitsAt = (digits: string, at: number): number => parseInt(digits.slice(at, at + 8), 16) | 0

/** Sixteen digits of two times 32 bits. */
export const spanIdOf = (high: number, low: number): string => hex(high) + hex(low)

/** The id of a trace, shared by its spans. It is drawn, and its digits are written, where somebody reads them. */
export class TraceId {
  a = 0
  b = 0
  c = 0
  d = 0
  #digits: string | undefined

  /** Of 32 hexadecimal digits. */
  static of(digits: string): TraceId {
    const id = new TraceId()
    id.a = bitsAt(digits, 0)
    id.b = bitsAt(digits, 8)
    id.c = bitsAt(digits, 16)
    id.d = bitsAt(digits, 24)
    id.#digits = digits
    return id
  }

  /** The same, with its bits. */
  drawn(): this {
    // All zeros are no id.
    while ((this.a | this.b | this.c | this.d) === 0) {
      this.a = draw()
      this.b = draw()
      this.c = draw()
      this.d = draw()
    }
    return this
  }

  get digits(): string {
    this.drawn()
    return (this.#digits ??= hex(this.a) + hex(this.b) + hex(this.c) + hex(this.d))
  }
}
