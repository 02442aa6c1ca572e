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
  await queue.createWorker().start()
  await until(() => ran.length === 2_502)
  expect([ran[0], ran.at(-1)]).toEqual(['before', 'after'])
})

test('jobs start in their order, however many run at once', async () => {
  for (const concurrency of [7, 50, 300]) {
    const queue = await open()
    const started: unknown[] = []
    queue.registerHandler('n', job => {
      started.push(job.data)
      // Some end at once, some in a later turn.
      return Number(job.data) % 3 === 0 ? undefined : new Promise<void>(resolve => setImmediate(resolve))
    })
    await queue.addBulkJobs(Array.from({ length: 3_000 }, (_, n) => ({ name: 'n', data: n })))
    await queue.createWorker({ concurrency }).start()
    await until(() => started.length === 3_000)
    expect(started).toEqual(Array.from({ length: 3_000 }, (_, n) => n))
    await queue.shutdown()
  }
})

test('adds keep the order of their calls, with options and without, and one that is refused harms no other', async () => {
  const queue = await open()
  const ran: unknown[] = []
  queue.registerHandler('n', job => void ran.push(job.data))
  const adds: Promise<unknown>[] = []
  for (let n = 0; n < 400; n++) {
    const data = { n }
    if (n % 7 === 0) adds.push(queue.addJob('n', data, { retries: 1 }))
    else if (n % 50 === 1) adds.push(queue.addJob('', data))
    else adds.push(queue.addJob('n', data))
    data.n = -1
    // Some go by themselves, some with the next ones.
    if (n % 3 === 0) await Promise.resolve()
  }
  const answers = await Promise.allSettled(adds)
  const good = [...answers.keys()].filter(n => n % 7 === 0 || n % 50 !== 1)
  expect([...answers.keys()].filter(n => answers[n]?.status === 'fulfilled')).toEqual(good)
  await queue.createWorker().start()
  await until(() => ran.length === good.length)
  expect(ran).toEqual(good.map(n => ({ n })))
})

test('what an add without options answers is what the store has', async () => {
  const queue = await open()
  const data = [{ a: [1.5, null], 'é\ud83d\ude00': '"\\\u0000' }, undefined, 'text', -0, new Date(7), [undefined, () => 1]]
  const added = await Promise.all([...data, ...data].map(one => queue.addJob('some', one)))
  for (const [n, job] of added.entries()) {
    expect(job).toEqual(await queue.getJob(job.id))
    expect(job.data).toEqual(JSON.parse(JSON.stringify(data[n % data.length] ?? null)))
  }
  expect(new Set(added.map(job => job.id)).size).toBe(12)
  const circle: unknown[] = []
  circle.push(circle)
  for (const wrong of [circle, 1n, { get a() { throw new Error('no') } }]) {
    await expect(queue.addJob('some', wrong)).rejects.toMatchObject({ code: 'AUTON8N_OPTION_INVALID' })
  }
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
