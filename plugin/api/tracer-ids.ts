import { randomFillSync } from 'node:crypto'

/** Digits are drawn from one text for hundreds of ids: a call for each would cost more than the span. */
const POOL = 4_096
const bytes = Buffer.allocUnsafe(POOL)
let pool = ''
let drawn = 0

/** Random hexadecimal digits, not all zero. */
export function digits(count: 16 | 32): string {
  if (drawn + count > pool.length) {
    pool = randomFillSync(bytes).toString('hex')
    drawn = 0
  }
  const id = pool.slice(drawn, drawn + count)
  drawn += count
  return id === '0000000000000000' || id === '00000000000000000000000000000000' ? digits(count) : id
}
