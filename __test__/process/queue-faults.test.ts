import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { JobQueue } from '../../plugin/api/queue.js'
import { after, killChildren, startNode, until } from '../support/children.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const script = join(root, '__test__/process/queue-child.mjs')
/** `npm run faults:queue` asks for all of it. */
const all = Number(process.env['AUTON8N_FAULT_ROUNDS'] ?? 0) >= 100
/** Long enough that a busy machine renews it in time. */
const LEASE = 800
const queues: JobQueue[] = []
let dataDir = ''

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'auton8n-faults-'))
})

afterEach(async () => {
  await Promise.all(queues.splice(0).map(queue => queue.shutdown()))
  await killChildren()
  rmSync(dataDir, { recursive: true, force: true })
})

async function open(leaseDuration = 15_000): Promise<JobQueue> {
  const queue = await JobQueue.open('q', { dataDir, leaseDuration, retention: { count: 1e9 } })
  queues.push(queue)
  return queue
}

test('many delayed jobs that fall due at once run once each', async () => {
  const count = all ? 100_000 : 20_000
  const queue = await open()
  const runs = new Uint8Array(count)
  let ran = 0
  queue.registerHandler<number>('work', job => {
    runs[job.data] = (runs[job.data] ?? 0) + 1
    ran++
  })
  await queue.createWorker({ concurrency: 100 }).start()
  // None is due before all are stored, however slow the machine is: the first part says how long that takes.
  const began = Date.now()
  await queue.addBulkJobs(Array.from({ length: 1_000 }, () => ({ name: 'other', data: null })))
  const runAt = Date.now() + Math.max(all ? 20_000 : 5_000, (Date.now() - began) * (count / 1_000) * 5)
  for (let at = 0; at < count; at += 20_000) {
    const jobs = Array.from({ length: 20_000 }, (_, n) => ({ name: 'work', data: at + n, options: { runAt, removeOnComplete: true } }))
    await queue.addBulkJobs(jobs)
  }
  const stored = Date.now()
  expect(stored).toBeLessThan(runAt)
  expect([ran, (await queue.getMetrics()).scheduled]).toEqual([0, count])
  await until(() => ran > 0)
  const first = Date.now() - runAt
  await until(async () => (await queue.getMetrics()).total === 1_000)
  console.log(`${count} jobs due at once: the first started ${first} ms later, all were done after ${Date.now() - runAt} ms, ` +
    `lost ${runs.filter(n => n === 0).length}, run twice ${runs.filter(n => n > 1).length}`)
  expect(runs.every(n => n === 1)).toBe(true)
})

test('a handler that blocks JavaScript for three leases keeps its job', async () => {
  const queue = await open(LEASE)
  const starts: string[] = []
  queue.registerHandler('block', job => {
    starts.push(job.id)
    const end = performance.now() + 3 * LEASE
    while (performance.now() < end);
  })
  await queue.createWorker({ concurrency: 2 }).start()
  await queue.createWorker({ concurrency: 2 }).start()
  const jobs = await queue.addBulkJobs(Array.from({ length: 2 }, () => ({ name: 'block', data: null })))
  await until(async () => (await queue.getMetrics()).completed === 2)
  const attempts = await Promise.all(jobs.map(async job => (await queue.getJob(job.id))?.attempts))
  console.log(`2 jobs that block for three leases: started ${starts.length} times`)
  expect([starts.length, attempts]).toEqual([2, [1, 1]])
})

test('a handler that hangs is given up after its time, and others go on', async () => {
  const queue = await open()
  queue.registerHandler('hang', () => new Promise(() => undefined))
  queue.registerHandler('other', () => 'done')
  await queue.createWorker().start()
  const hanging = await queue.addJob('hang', 1, { timeout: 100, retries: 1, retryDelay: 10 })
  const other = await queue.addJob('other', 1)
  await until(async () => (await queue.getJob(other.id))?.status === 'completed')
  await until(async () => (await queue.getJob(hanging.id))?.status === 'failed')
  expect(await queue.getJob(hanging.id)).toMatchObject({ attempts: 2, error: { code: 'AUTON8N_TIMEOUT' } })
})

test('a handler that ends the process again and again leads to the dead letters, and can be sent again', async () => {
  const first = await open()
  const job = await first.addJob('work', 1)
  await first.shutdown()
  let exits = 0
  for (let start = 0; start < 4; start++) {
    const child = startNode([script, 'exits', dataDir])
    exits += (await child.ended) === 3 ? 1 : 0
  }
  const queue = await open()
  console.log(`a handler that ends its process: failed after ${exits} exits`)
  expect([exits, (await queue.getJob(job.id))?.status]).toEqual([4, 'failed'])
  expect((await queue.getJobs({ status: 'failed' })).map(({ id, error }) => [id, error?.code])).toEqual([[job.id, 'AUTON8N_LEASE_LOST']])
  const again = await queue.retryJob(job.id)
  expect([again.status, again.attempts]).toEqual(['pending', 0])
  await queue.shutdown()
  const drain = startNode([script, 'drain', dataDir])
  expect([await drain.ended, after(drain.lines, 'ran')]).toEqual([0, [job.id]])
})

test('an owner that was frozen and woken goes on, and nothing runs twice', async () => {
  const owner = startNode([script, 'work', dataDir])
  await until(() => owner.lines.includes('ready'))
  const queue = await open()
  expect(queue.served).toBe(true)
  const jobs = await queue.addBulkJobs(Array.from({ length: 5 }, () => ({ name: 'work', data: { ms: 500 } })))
  await until(() => after(owner.lines, 'ran').length === 5)
  owner.process.kill('SIGSTOP')
  await new Promise(resolve => setTimeout(resolve, 1_500))
  owner.process.kill('SIGCONT')
  await until(async () => (await queue.getMetrics()).completed === 5)
  expect(after(owner.lines, 'ran').sort()).toEqual(jobs.map(job => job.id).sort())
})

test.each([-3600, 3600])('a job that waits for its delay runs in time when the clock is set by %d seconds', async seconds => {
  const [shim, clock] = [join(dataDir, 'clock.so'), join(dataDir, 'clock')]
  execFileSync('cc', ['-O2', '-shared', '-fPIC', '-o', shim, join(root, '__test__/support/clock.c'), '-ldl'])
  writeFileSync(clock, Buffer.alloc(8))
  const child = startNode([script, 'waits', dataDir, '2500'], { env: { ...process.env, LD_PRELOAD: shim, AUTON8N_CLOCK: clock } })
  await until(() => child.lines.includes('waits'))
  const started = performance.now()
  const set = Buffer.alloc(8)
  set.writeBigInt64LE(BigInt(seconds))
  // In place, since the process has the file mapped.
  const file = openSync(clock, 'r+')
  writeSync(file, set, 0, 8, 0)
  closeSync(file)
  await until(() => after(child.lines, 'ran').length > 0)
  const waited = Math.round(performance.now() - started)
  console.log(`clock set by ${seconds} s: a delay of 2500 ms took ${waited} ms`)
  // Not at once and not in an hour, which is what the clock would make of it.
  expect(waited).toBeGreaterThan(1_000)
  expect(waited).toBeLessThan(20_000)
})
