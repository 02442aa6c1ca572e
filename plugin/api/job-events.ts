import type { Job, JobEvent, JobEvents } from './job.js'
import { LONGEST_TIMER } from './queue-input.js'

type Told = JobEvents[keyof JobEvents]

/** Events that wait for a reader who does not keep up; then the oldest are dropped. */
const WAITING = 1_000
/** On a shared store, where the end of a job may be told in another process only. */
const LOOK = 1_000

/** What a listener needs of its queue. */
export interface EventSource {
  name: string
  listen(listener: (event: Told) => void): () => void
  /** Called when the queue is closed. */
  closed(listener: () => void): () => void
  read(jobId: string): Promise<Job | undefined>
}

const FINAL: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled'])

/**
 * The events of a queue or of one job, as they come. One of a job begins with its present state and ends with the
 * job; one of a queue ends with the queue.
 */
export async function* jobEvents(source: EventSource, jobId?: string): AsyncGenerator<JobEvent, void, undefined> {
  const waiting: JobEvent[] = []
  let over = false
  let wake: (() => void) | undefined
  const tell = (event?: JobEvent): void => {
    if (event) waiting.push(event)
    if (waiting.length > WAITING) waiting.shift()
    wake?.()
  }
  // Before the job is read, so that nothing is missed between.
  const deaf = source.listen(event => {
    if (jobId === undefined || event.jobId === jobId) tell(event)
  })
  const open = source.closed(() => {
    over = true
    tell()
  })
  try {
    if (jobId !== undefined) {
      const state = await stateOf(source, jobId)
      if (!state) return
      yield state
      if (FINAL.has(state.job.status)) return
    }
    for (;;) {
      const event = waiting.shift()
      if (event) {
        yield event
        if (jobId !== undefined && FINAL.has(event.type)) return
        continue
      }
      if (over) return
      let look: NodeJS.Timeout | undefined
      const told = await new Promise<boolean>(resolve => {
        wake = () => resolve(true)
        // It also keeps the process, as whoever waits expects.
        look = setTimeout(() => resolve(false), jobId === undefined ? LONGEST_TIMER : LOOK)
      })
      wake = undefined
      clearTimeout(look)
      if (told || jobId === undefined || waiting.length > 0) continue
      const state = await stateOf(source, jobId)
      if (waiting.length > 0) continue
      if (!state) return
      if (FINAL.has(state.job.status)) {
        yield state
        return
      }
    }
  } finally {
    deaf()
    open()
  }
}

async function stateOf(source: EventSource, jobId: string): Promise<Extract<JobEvent, { type: 'state' }> | undefined> {
  const job = await source.read(jobId)
  return job && { type: 'state', queue: source.name, jobId, name: job.name, at: Date.now(), job }
}
