/** Begins to count; the answer tells the milliseconds of processor time of this process since then, which other programs do not lengthen. */
export function cpuTime(): () => number {
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1_000
  }
}
