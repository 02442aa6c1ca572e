import { writeFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { AbortJobError, JobPriority, JobQueue, RetryAfterError, type JobOptions } from '../../plugin/api/queue.js'
import { Auton8nError } from '../../plugin/errors.js'
import { queues } from '../support/queues.js'
import { eventually } from '../support/eventually.js'

const { open, keep, directory } = queues()
const memory = (): Promise<JobQueue> => open()

async function until(check: () => Promise<boolean> | boolean): Promise<void> {
  await eventually(async () => expect(await check()).toBe(true))
}

test('a job runs, tells its life and keeps its result', async () => {
  const queue = await memory()
  const told: string[] = []
  for (const name of ['added', 'started', 'progress', 'log', 'completed'] as const) queue.on(name, event => told.push(event.type))
  queue.registerHandler<{ n: number }, number>('double', async (job, { progress, log }) => {
    progress(50)
    log('half way')
    return job.data.n * 2
  })
  await queue.createWorker().start()
  const added = await queue.addJob('double', { n: 21 }, { priority: JobPriority.HIGH, metadata: { a: 1 } })
  expect(added).toMatchObject({ name: 'double', status: 'pending', priority: 1, attempts: 0, data: { n: 21 } })
  await until(async () => (await queue.getJob(added.id))?.status === 'completed')
  const done = await queue.getJob(added.id)
  expect(done).toMatchObject({ result: 42, attempts: 1, progress: 100, log: ['half way'], options: { retries: 3, metadata: { a: 1 } } })
  expect(done?.finishedAt).toBeGreaterThanOrEqual(done?.startedAt ?? Infinity)
  await until(() => told.length === 5)
  expect(told).toEqual(['added', 'started', 'progress', 'log', 'completed'])
  expect(await queue.getMetrics()).toMatchObject({ completed: 1, total: 1, errorRate: 0 })
})

test('a throw is a failed attempt, and three retries are four attempts', async () => {
  const queue = await memory()
  let runs = 0
  queue.registerHandler('fails', () => {
    runs++
    throw new Error(`broken ${runs}`)
  })
  await queue.createWorker().start()
  const job = await queue.addJob('fails', null, { retryDelay: 1, jitter: false })
  await until(async () => (await queue.getJob(job.id))?.status === 'failed')
  expect(runs).toBe(4)
  expect((await queue.getJob(job.id))?.error).toEqual({ code: 'AUTON8N_HANDLER_FAILED', message: 'broken 4' })
})

test('control errors end or postpone', async () => {
  const queue = await memory()
  queue.registerHandler('stop', () => {
    throw new AbortJobError('no use')
  })
  let first = true
  queue.registerHandler('later', () => {
    if (!first) return 'done'
    first = false
    throw new RetryAfterError(20)
  })
  await queue.createWorker({ concurrency: 2 }).start()
  const stop = await queue.addJob('stop', 1)
  const later = await queue.addJob('later', 1, { retryDelay: 3_600_000 })
  await until(async () => (await queue.getJob(later.id))?.status === 'completed')
  await until(async () => (await queue.getJob(stop.id))?.status === 'failed')
  expect((await queue.getJob(stop.id))).toMatchObject({ attempts: 1, error: { code: 'AUTON8N_JOB_ABORTED', message: 'no use' } })
})

test('the signal fires on cancel, on timeout and on stop', async () => {
  const queue = await memory()
  const aborted: Record<string, unknown> = {}
  queue.registerHandler<string>('hangs', (job, { signal }) => new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      aborted[job.data] = signal.reason
      reject(signal.reason)
    })
  }))
  const worker = queue.createWorker({ concurrency: 3, shutdownTimeout: 10 })
  await worker.start()
  const timed = await queue.addJob('hangs', 'timeout', { timeout: 20, retries: 0 })
  const cancelled = await queue.addJob('hangs', 'cancel')
  const stopped = await queue.addJob('hangs', 'stop', { retries: 0 })
  await until(async () => (await queue.getJob(timed.id))?.status === 'failed')
  expect((await queue.getJob(timed.id))?.error?.code).toBe('AUTON8N_TIMEOUT')
  await until(async () => (await queue.getMetrics()).running === 2)
  expect(await queue.cancelJob(cancelled.id)).toBe(true)
  await worker.stop()
  await until(() => Object.keys(aborted).length === 3)
  for (const [what, code] of Object.entries({ timeout: 'TIMEOUT', cancel: 'CANCELLED', stop: 'CLOSED' })) {
    expect(aborted[what], what).toBeInstanceOf(Auton8nError)
    expect(aborted[what], what).toMatchObject({ code: `AUTON8N_${code}` })
  }
  expect((await queue.getJob(cancelled.id))?.status).toBe('cancelled')
  expect(await queue.getJob(stopped.id)).toMatchObject({ status: 'pending', attempts: 0 })
})

test('order is by priority, then in turns, then first in first out', async () => {
  const queue = await memory()
  const order: unknown[] = []
  queue.registerHandler('a', job => void order.push(job.data))
  const add = (data: string, options: JobOptions) => ({ name: 'a', data, options })
  await queue.addBulkJobs([
    add('low', { priority: JobPriority.LOW }),
    add('x1', { fairKey: 'x' }),
    add('x2', { fairKey: 'x' }),
    add('y1', { fairKey: 'y' }),
    add('critical', { priority: JobPriority.CRITICAL }),
  ])
  await queue.createWorker().start()
  await until(() => order.length === 5)
  expect(order).toEqual(['critical', 'x1', 'y1', 'x2', 'low'])
})

test('a listener that throws harms nobody', async () => {
  const queue = await memory()
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  let heard = 0
  queue.on('added', () => {
    throw new Error('bad listener')
  })
  queue.on('added', () => heard++)
  await queue.addJob('a', 1)
  await until(() => heard === 1)
  expect(warned).toHaveBeenCalled()
  warned.mockRestore()
})

test('a thousand adds of one tick are each answered, duplicates alone refused', async () => {
  const queue = await memory()
  const adds = Array.from({ length: 1000 }, (_, n) => queue.addJob('a', n, n % 10 === 0 ? { uniqueKey: 'same' } : {}))
  const answers = await Promise.allSettled(adds)
  const refused = answers.filter(answer => answer.status === 'rejected')
  expect(refused).toHaveLength(99)
  expect(refused[0]?.reason).toMatchObject({ code: 'AUTON8N_JOB_DUPLICATE', details: { jobId: expect.any(String) } })
  expect((await queue.getMetrics()).pending).toBe(901)
})

test('pages, cleaning, retry and pause', async () => {
  const queue = await memory()
  const jobs = await queue.addBulkJobs(Array.from({ length: 5 }, (_, n) => ({ name: 'a', data: n })))
  const page = await queue.getJobs({ limit: 3 })
  expect(page.map(job => job.data)).toEqual([4, 3, 2])
  expect((await queue.getJobs({ limit: 3, cursor: page[2]!.id })).map(job => job.data)).toEqual([1, 0])
  await queue.cancelJob(jobs[0]!.id)
  expect((await queue.getJobs({ status: 'cancelled' })).map(job => job.id)).toEqual([jobs[0]!.id])
  expect((await queue.retryJob(jobs[0]!.id)).status).toBe('pending')
  await expect(queue.retryJob(jobs[0]!.id)).rejects.toMatchObject({ code: 'AUTON8N_JOB_STATE' })
  await expect(queue.retryJob('none')).rejects.toMatchObject({ code: 'AUTON8N_JOB_NOT_FOUND' })
  await queue.cancelJob(jobs[1]!.id)
  expect(await queue.clean(3_600_000)).toBe(0)
  expect(await queue.clean(0, 'cancelled')).toBe(1)
  expect(await queue.getJob(jobs[1]!.id)).toBeUndefined()
  await queue.pause()
  expect((await queue.getMetrics()).paused).toBe(true)
  await queue.resume()
})

test('wrong input is told with a code, and nothing is added', async () => {
  const queue = await memory()
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  const wrong: unknown[][] = [
    [7, 1], [undefined, 1], ['', 1], ['x'.repeat(201), 1], ['a', 1n], ['a', circle],
    ['a', 1, null], ['a', 1, []], ['a', 1, { retires: 3 }], ['a', 1, { retries: -1 }], ['a', 1, { retries: '3' }],
    ['a', 1, { retries: null }], ['a', 1, { delay: Number.NaN }], ['a', 1, { priority: 9 }], ['a', 1, { runAt: 'soon' }],
    ['a', 1, { runAt: new Date(Number.NaN) }], ['a', 1, { delay: 1, runAt: 5 }], ['a', 1, { jitter: 3 }],
    ['a', 1, { retryBackoff: 'wild' }], ['a', 1, { uniqueKey: '' }], ['a', 1, { timeout: 0 }], ['a', 'x'.repeat(17 * 1024 * 1024)],
  ]
  const add = queue.addJob.bind(queue) as (...input: unknown[]) => Promise<unknown>
  for (const input of wrong) {
    await expect(add(...input), String(input[0])).rejects.toMatchObject({ code: 'AUTON8N_OPTION_INVALID' })
  }
  const open = JobQueue.open as (...input: unknown[]) => Promise<JobQueue>
  for (const input of [[undefined], [''], ['q', null], ['q', { stroe: 'memory' }], ['q', { store: 7 }], ['q', { store: 'mysql://x' }], ['q', { store: 'memory', retention: { count: 'x' } }]]) {
    await expect(open(...input)).rejects.toMatchObject({ code: 'AUTON8N_OPTION_INVALID' })
  }
  const password = ['sw', 'ordfish'].join('')
  const refused = [[`redis://me:${password}@127.0.0.1:1/0`, 'UNAVAILABLE'], [`postgres://me:${password}@127.0.0.1:1/d`, 'UNAVAILABLE']]
  for (const [store, code] of refused) {
    const error: unknown = await open('q', { store: store ?? '' }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: `AUTON8N_STORE_${code ?? ''}` })
    expect(String(error)).not.toContain(password)
  }
  for (const options of [{ concurrency: 0 }, { concurrency: '2' }, { concurency: 2 }, { shutdownTimeout: -1 }, null]) {
    expect(() => (queue.createWorker as (options: unknown) => unknown)(options)).toThrowError(
      expect.objectContaining({ code: 'AUTON8N_OPTION_INVALID' }),
    )
  }
  for (const filter of [{ limit: 0 }, { status: 'done' }, { nmae: 'x' }]) {
    await expect((queue.getJobs as (filter: unknown) => Promise<unknown>)(filter)).rejects.toMatchObject({ code: 'AUTON8N_OPTION_INVALID' })
  }
  expect((await queue.getMetrics()).total).toBe(0)
})

test('a big batch is stored as a whole or not at all, before what is added after it', async () => {
  const queue = await memory()
  const batch = Array.from({ length: 5_000 }, (_, n) => ({ name: 'a', data: { n } }))
  const bulk = queue.addBulkJobs(batch)
  const after = queue.addJob('a', { n: 5_000 })
  const second = queue.addBulkJobs(batch.slice(0, 3_000))
  for (const { data } of batch) data.n = -1
  const jobs = await bulk
  expect(jobs.map(job => (job.data as { n: number }).n)).toEqual(batch.map((_, n) => n))
  expect(new Set(jobs.map(job => job.id)).size).toBe(5_000)
  expect(await queue.getJob(jobs[4_321]?.id ?? '')).toEqual(jobs[4_321])
  expect([(await after).status, (await second).length]).toEqual(['pending', 3_000])

  const throwing = { toJSON: () => { throw new Error('it does not want to') } }
  const withOne = (job: unknown): never => [...batch.slice(0, 4_000), job, ...batch.slice(4_000)] as never
  for (const job of [null, { name: 1, data: 1 }, { name: '', data: 1 }, { name: 'a', data: throwing }, { name: 'a', data: 1n }]) {
    await expect(queue.addBulkJobs(withOne(job))).rejects.toMatchObject({ code: 'AUTON8N_OPTION_INVALID' })
  }
  const unique = { name: 'a', data: 1, options: { uniqueKey: 'k' } }
  await queue.addBulkJobs(withOne(unique))
  await expect(queue.addBulkJobs(withOne(unique))).rejects.toMatchObject({ code: 'AUTON8N_JOB_DUPLICATE' })
  expect((await queue.getMetrics()).pending).toBe(13_002)

  const order: unknown[] = []
  queue.registerHandler<{ n: number }>('a', job => void order.push(job.data.n))
  await queue.createWorker({ concurrency: 10 }).start()
  await until(() => order.length === 13_002)
  expect(order.slice(0, 5_001)).toEqual(Array.from({ length: 5_001 }, (_, n) => n))
})

test('what was added is there after a restart, and a shut queue says so', async () => {
  const dataDir = directory()
  const queue = await JobQueue.open('q', { dataDir })
  const job = await queue.addJob('a', { text: 'ä\u0000\ud83d\ude00' })
  await queue.shutdown()
  await queue.shutdown()
  await expect(queue.addJob('a', 1)).rejects.toMatchObject({ code: 'AUTON8N_CLOSED' })
  const again = await JobQueue.open('q', { dataDir })
  keep(again)
  expect(await again.getJob(job.id)).toEqual(job)
})

test('a damaged store is kept aside and told, and the next opening works', async () => {
  const dataDir = directory()
  writeFileSync(join(dataDir, 'jobs.db'), 'this is no database, but it is long enough to look at'.repeat(100))
  await expect(JobQueue.open('q', { dataDir })).rejects.toMatchObject({ code: 'AUTON8N_STORE_CORRUPT', details: { keptAs: expect.any(String) } })
  expect(readdirSync(dataDir).some(name => name.startsWith('jobs.db.corrupt-'))).toBe(true)
  await open('q', { dataDir })
})

test('a data directory that cannot be made is told', async () => {
  const file = join(directory(), 'file')
  writeFileSync(file, '')
  await expect(JobQueue.open('q', { dataDir: join(file, 'under') })).rejects.toMatchObject({ code: 'AUTON8N_DATA_DIR_UNWRITABLE' })
})
