import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { JobQueue, type QueueOptions } from '../../plugin/api/queue.js'

/** Queues and folders of the tests of a file; they end with the test that opened them. */
export function queues(): {
  /** By default in memory. */
  open(name?: string, options?: QueueOptions): Promise<JobQueue>
  keep(queue: JobQueue): void
  directory(): string
} {
  const opened: JobQueue[] = []
  const made: string[] = []
  afterEach(async () => {
    await Promise.all(opened.splice(0).map(queue => queue.shutdown()))
    for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true })
  })
  return {
    async open(name = 'q', options = { store: 'memory' }) {
      const queue = await JobQueue.open(name, options)
      opened.push(queue)
      return queue
    },
    keep: queue => void opened.push(queue),
    directory() {
      const path = mkdtempSync(join(tmpdir(), 'auton8n-queue-'))
      made.push(path)
      return path
    },
  }
}
