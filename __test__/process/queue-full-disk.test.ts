import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { JobQueue } from '../../plugin/api/queue.js'

function mounted(): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'auton8n-full-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', directory], { stdio: 'ignore' })
    return directory
  } catch {
    rmSync(directory, { recursive: true, force: true })
    return undefined
  }
}

const ways = [{ kind: 'large jobs', count: 1, size: 20_000 }, { kind: 'packed jobs', count: 20, size: 1_000 }]

test.for(ways)('$kind: a full disk refuses adds, loses nothing, and later adds work again', async (way, context) => {
  const directory = mounted()
  if (directory === undefined) {
    if (process.env['AUTON8N_REQUIRE_ALL'] === '1') throw new Error('a small tmpfs cannot be mounted here')
    context.skip('a small tmpfs cannot be mounted here: it needs root')
    return
  }
  const opened: JobQueue[] = []
  try {
    const queue = await JobQueue.open('q', { dataDir: directory })
    opened.push(queue)
    const ballast = join(directory, 'ballast')
    writeFileSync(ballast, Buffer.alloc(1024 * 1024))
    let stored = 0
    const failure = await (async () => {
      for (;;) {
        try {
          await queue.addBulkJobs(Array.from({ length: way.count }, () => ({ name: 'a', data: 'x'.repeat(way.size) })))
          stored += way.count
        } catch (error) {
          return error
        }
      }
    })()
    expect(failure).toMatchObject({ code: 'AUTON8N_STORE_FULL' })
    expect(stored).toBeGreaterThan(0)
    expect((await queue.getMetrics()).pending).toBe(stored)
    rmSync(ballast)
    await queue.addJob('a', 'again')
    await queue.shutdown()
    const again = await JobQueue.open('q', { dataDir: directory })
    opened.push(again)
    expect((await again.getMetrics()).pending).toBe(stored + 1)
    let ran = 0
    again.registerHandler('a', () => void ran++)
    const worker = again.createWorker({ concurrency: 4 })
    await worker.start()
    await expect.poll(() => ran).toBe(stored + 1)
    await again.shutdown()
  } finally {
    await Promise.all(opened.map(queue => queue.shutdown()))
    execFileSync('umount', [directory])
    rmSync(directory, { recursive: true, force: true })
  }
})
