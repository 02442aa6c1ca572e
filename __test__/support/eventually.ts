import { vi } from 'vitest'

/** Waits until a check throws no more; so long that only what never comes runs into the end. */
export function eventually(check: () => unknown): Promise<unknown> {
  return vi.waitFor(check, { timeout: 60_000, interval: 5 })
}
