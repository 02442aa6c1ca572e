import type { Pipeline } from './tracer-pipeline.js'

/** How long the end of a process may take, in milliseconds. */
const EXIT_MS = 2_000

/** Pipelines that may hold spans. Each end of the process flushes them, for at most two seconds. */
const live = new Set<Pipeline>()
let hooked = false

/** Flushes it when the process ends. */
export function track(pipeline: Pipeline): void {
  pipeline.tracked = true
  live.add(pipeline)
  if (hooked) return
  hooked = true
  process.on('beforeExit', () => {
    // A promise keeps the process; when it is settled this runs again, with nothing left to do.
    for (const waiting of live) {
      untrack(waiting)
      void waiting.flush(EXIT_MS).catch(() => {})
    }
  })
  process.on('exit', () => {
    for (const waiting of live) waiting.atExit(EXIT_MS)
  })
}

/** It holds nothing any more. */
export function untrack(pipeline: Pipeline): void {
  pipeline.tracked = false
  live.delete(pipeline)
}

let signalled = false

/** Flushes everything when the process is asked to end by SIGTERM, and then lets it end as it would have. */
export function flushOnSigterm(): void {
  if (signalled) return
  signalled = true
  const ended = (): void => {
    for (const waiting of live) waiting.atExit(EXIT_MS)
    process.off('SIGTERM', ended)
    signalled = false
    // Whoever else listens decides how the process ends; without anybody it ends by the signal.
    if (process.listenerCount('SIGTERM') === 0) process.kill(process.pid, 'SIGTERM')
  }
  process.on('SIGTERM', ended)
}
