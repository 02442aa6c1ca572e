/** The cells of the engine's histogram of durations: eight steps of each doubling, from 1/64 ms on. */
const CELLS = 225

const number = new Float64Array(1)
const words = new Uint32Array(number.buffer)
number[0] = 1
/** Which word of a number has its exponent. */
const HIGH = words[1] === 0 ? 0 : 1

/** The cell in which a duration of so many milliseconds lies; the same as in `src/breaker/histogram.rs`. */
export function cellOf(milliseconds: number): number {
  if (!(milliseconds >= 1 / 64)) return 0
  number[0] = milliseconds * 64
  // The exponent and the first three bits of the fraction are the doubling and its step.
  return Math.min(((words[HIGH] as number) >>> 17) - (1023 << 3) + 1, CELLS - 1)
}
