import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { JobQueue, RetryAfterError, type JobHandler } from '../../plugin/api/queue.js'
import { queues } from '../support/queues.js'
import { eventually } from '../support/eventually.js'

const { open, directory } = queues()

function nested(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

/** The jobs of these handlers, each run once beside nine good ones. */
async function ran(handlers: Record<string, JobHandler>) {
  const queue = await open()
  queue.registerHandler('good', () => 'good')
  for (const [name, handler] of Object.entries(handlers)) queue.registerHandler(name, handler)
  const names = Object.keys(handlers).flatMap(name => [name].concat(Array.from({ length: 9 }, () => 'good')))
  const jobs = await queue.addBulkJobs(names.map(name => ({ name, data: null, options: { retries: 0 } })))
  await queue.createWorker({ concurrency: 100 }).start()
  await eventually(async () => expect((await queue.getMetrics()).running + (await queue.getMetrics()).pending).toBe(0))
  const ended = await Promise.all(jobs.map(job => queue.getJob(job.id)))
  expect(ended.filter(job => job?.name === 'good').every(job => job?.status === 'completed')).toBe(true)
  return Object.fromEntries(ended.filter(job => job?.name !== 'good').map(job => [job?.name, job]))
}

test('what cannot be stored or read of a handler fails its own attempt, and no other', async () => {
  const jobs = await ran({
    deep: () => nested(200),
    deeper: () => nested(101),
    circle: () => {
      const circle: unknown[] = []
      circle.push(circle)
      return circle
    },
    bare: () => {
      throw Object.create(null)
    },
    hostile: () => {
      throw new Proxy({}, { get: () => { throw new Error('no') }, getPrototypeOf: () => { throw new Error('no') } })
    },
    numbered: () => {
      throw Object.assign(new Error('x'), { message: 7 })
    },
  })
  for (const [name, job] of Object.entries(jobs)) {
    expect(job, name).toMatchObject({ status: 'failed', error: { code: 'AUTON8N_HANDLER_FAILED', message: expect.stringMatching(/./) as string } })
  }
  expect(jobs['deep']?.error?.message).toContain('cannot be stored')
  expect(jobs['deeper']?.error?.message).toContain('at most 100')
  expect(jobs['numbered']?.error?.message).toBe('7')
})

test('half of a surrogate pair becomes U+FFFD, in data, results and messages', async () => {
  const half = '\u{1F600}'.slice(0, 1)
  const jobs = await ran({
    answers: () => ({ text: half }),
    names: () => ({ [half]: [{ [half]: half, ok: 1 }] }),
    throws: () => {
      throw new Error(`broken ${half}`)
    },
  })
  expect(jobs['answers']?.result).toEqual({ text: '\uFFFD' })
  expect(jobs['names']?.result).toEqual({ '\uFFFD': [{ '\uFFFD': '\uFFFD', ok: 1 }] })
  expect(jobs['throws']?.error?.message).toBe('broken \uFFFD')
  const queue = await open()
  const added = await queue.addJob('a', { text: half, whole: '\u{1F600}' })
  expect((await queue.getJob(added.id))?.data).toEqual({ text: '\uFFFD', whole: '\u{1F600}' })
  const named = await queue.addJob('a', { [half]: { [half]: 1 } })
  expect((await queue.getJob(named.id))?.data).toEqual({ '\uFFFD': { '\uFFFD': 1 } })
})

test('numbers come back as they were given', async () => {
  const numbers = Array.from({ length: 2_000 }, (_, n) => (n % 2 === 0 ? Math.sin(n) * 10 ** (n % 40) : n * 0.1))
  const jobs = await ran({ answers: () => numbers })
  expect(jobs['answers']?.result).toEqual(numbers)
  const queue = await open()
  const added = await queue.addJob('a', numbers)
  expect((await queue.getJob(added.id))?.data).toEqual(numbers)
})

test('data with more than 100 lists within one another is refused', async () => {
  const queue = await open()
  await queue.addJob('a', nested(100))
  await expect(queue.addJob('a', nested(101))).rejects.toMatchObject({ code: 'AUTON8N_OPTION_INVALID' })
  await queue.addJob('a', '[['.repeat(200))
})

test('each queue of a process keeps its own of ended jobs', async () => {
  const options = { dataDir: directory() }
  const none = await open('none', { ...options, retention: { count: 0 } })
  const some = await open('some', { ...options, retention: { count: 5 } })
  const all = await open('all', options)
  for (const queue of [none, some, all]) {
    queue.registerHandler('a', () => undefined)
    await queue.addBulkJobs(Array.from({ length: 20 }, () => ({ name: 'a', data: null })))
    await queue.createWorker({ concurrency: 10 }).start()
  }
  const completed = async (queue: JobQueue): Promise<number> => {
    const metrics = await queue.getMetrics()
    return metrics.pending + metrics.running > 0 ? -1 : metrics.completed
  }
  await eventually(async () => expect(await Promise.all([none, all].map(completed))).toEqual([0, 20]))
  await eventually(async () => expect(await completed(some)).toBe(20))
  await some.shutdown()
  const again = await open('some', { ...options, retention: { count: 5 } })
  expect(await Promise.all([again, all].map(completed))).toEqual([5, 20])
})

test('a job that is kept is answered as it is, however it was added', async () => {
  const queue = await open()
  const live = await queue.addJob('welcome', { to: 'alice' }, { uniqueKey: 'k' })
  const kept = await queue.addJob('goodbye', { to: 'bob' }, { uniqueKey: 'k', onDuplicate: 'keep' })
  expect(kept).toMatchObject({ id: live.id, name: 'welcome', data: { to: 'alice' } })
})

test('numbers that are none are refused instead of left out', async () => {
  const queue = await open()
  const wrong = { code: 'AUTON8N_OPTION_INVALID' }
  await expect(queue.setLimits({ concurrency: Number.NaN })).rejects.toMatchObject(wrong)
  await expect(queue.setLimits({ perKey: { rate: { count: Infinity, per: 1 } } })).rejects.toMatchObject(wrong)
  await expect(queue.getJobs({ limit: Number.NaN })).rejects.toMatchObject(wrong)
  const circle: Record<string, unknown> = {}
  circle['perKey'] = circle
  await expect(queue.setLimits(circle as never)).rejects.toMatchObject(wrong)
  await expect(queue.setLimits(undefined as never)).rejects.toMatchObject(wrong)
  await expect(queue.schedule('s', undefined as never)).rejects.toMatchObject(wrong)
  await expect(JobQueue.open('q', { store: 'memory', retention: { age: -1 } })).rejects.toMatchObject(wrong)
  await expect(JobQueue.open('q', { store: 'memory', retention: { count: Number.NaN } })).rejects.toMatchObject(wrong)
})

test('a retry after what is no time waits as other retries do', async () => {
  const queue = await open()
  queue.registerHandler('a', () => {
    throw new RetryAfterError(Number.NaN)
  })
  await queue.createWorker().start()
  const job = await queue.addJob('a', null, { retryDelay: 60_000, jitter: false })
  await eventually(async () => expect((await queue.getJob(job.id))?.status).toBe('retrying'))
  expect((await queue.getJob(job.id))?.runAt).toBeGreaterThan(Date.now() + 30_000)
})

test('a worker that is started while it stops works afterwards, and each stop waits for the running job', async () => {
  const queue = await open()
  let end = (): void => undefined
  const running = new Promise<void>(started => queue.registerHandler('slow', () => {
    started()
    return new Promise<void>(resolve => (end = resolve))
  }))
  queue.registerHandler('quick', () => undefined)
  const worker = queue.createWorker()
  await worker.start()
  await queue.addJob('slow', null)
  await running
  let stopped = 0
  const stops = [worker.stop(), worker.stop()].map(stop => stop.then(() => stopped++))
  await queue.getMetrics()
  expect(stopped).toBe(0)
  const started = worker.start()
  end()
  await Promise.all([...stops, started])
  const job = await queue.addJob('quick', null)
  await eventually(async () => expect((await queue.getJob(job.id))?.status).toBe('completed'))
})

test('events of a queue that is closed already end at once', async () => {
  const queue = await open()
  await queue.shutdown()
  for await (const event of queue.events()) expect(event).toBeUndefined()
})

test('a port that answers, but not as PostgreSQL, is told', async () => {
  const silent = createServer(socket => socket.on('error', () => undefined))
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = silent.address() as { port: number }
    await expect(JobQueue.open('q', { store: `postgres://me@127.0.0.1:${port}/db` })).rejects.toMatchObject({
      code: 'AUTON8N_STORE_UNAVAILABLE',
    })
  } finally {
    silent.close()
  }
})

test('a data directory that is removed while it is open is told by the next add, and closes', async () => {
  const dataDir = directory()
  const queue = await open('q', { dataDir })
  let end = (): void => undefined
  const running = new Promise<void>(started => queue.registerHandler('slow', () => {
    started()
    return new Promise<void>(resolve => (end = resolve))
  }))
  await queue.createWorker({ shutdownTimeout: 5_000 }).start()
  await queue.addJob('slow', 1)
  await running
  rmSync(dataDir, { recursive: true })
  await expect(queue.addJob('a', 2)).rejects.toMatchObject({
    code: 'AUTON8N_DATA_DIR_UNWRITABLE',
    message: expect.stringContaining('was removed or replaced') as string,
  })
  end()
  await queue.shutdown()
  const again = await open('q', { dataDir })
  expect((await again.getMetrics()).total).toBe(0)
})
