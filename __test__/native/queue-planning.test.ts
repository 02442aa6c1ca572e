import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { afterEach, expect, expectTypeOf, test } from 'vitest'
import { JobQueue, RetryAfterError, type Job, type JobEvent } from '../../plugin/api/queue.js'
import { Tracer } from '../../plugin/api/tracer.js'
import { eventually } from '../support/eventually.js'

const opened: { shutdown(): Promise<void> }[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map(queue => queue.shutdown()))
})

async function memory<Types extends object = object>(): Promise<JobQueue<Types>> {
  const queue = await JobQueue.open<Types>('q', { store: 'memory' })
  opened.push(queue)
  return queue
}

async function until(check: () => Promise<boolean> | boolean): Promise<void> {
  await eventually(async () => expect(await check()).toBe(true))
}

interface Mail {
  send: { data: { to: string }; result: number }
  sweep: { data: null }
}

test('types carry the data and the result of each job', async () => {
  const queue = await memory<Mail>()
  queue.registerHandler('send', job => job.data.to.length)
  // @ts-expect-error there is no such job
  await queue.addJob('sent', null)
  // @ts-expect-error the address is missing
  await queue.addJob('send', { from: 'x' })
  const job = await queue.addJob('send', { to: 'me' })
  expectTypeOf(job).toEqualTypeOf<Job<{ to: string }, number>>()
  const [first] = await queue.addBulkJobs([{ name: 'send', data: { to: 'you' } }, { name: 'sweep', data: null }])
  expect(first?.data).toEqual({ to: 'you' })
  const plain = await JobQueue.open('plain', { store: 'memory' })
  opened.push(plain)
  expectTypeOf(await plain.addJob('any', { n: 1 })).toEqualTypeOf<Job<{ n: number }, unknown>>()
  expectTypeOf(await plain.getJob<{ n: number }>('none')).toEqualTypeOf<Job<{ n: number }, unknown> | undefined>()
})

test('the name in an event or a job that was read tells the types of its data and result', async () => {
  const queue = await memory<Mail>()
  const results: number[] = []
  queue.on('completed', event => {
    if (event.name === 'send') results.push(event.result)
    // @ts-expect-error there is no such job
    if (event.name === 'sent') results.push(0)
  })
  queue.registerHandler('send', job => job.data.to.length)
  const { id } = await queue.addJob('send', { to: 'me' })
  const read = await queue.getJob(id)
  if (read?.name === 'send') expectTypeOf(read.data).toEqualTypeOf<{ to: string }>()
  expect(read?.name).toBe('send')
  for (const job of await queue.getJobs()) if (job.name === 'send') expect(job.data.to).toBe('me')
  // @ts-expect-error the address is missing
  await queue.schedule('often', { cron: '0 0 1 1 *', name: 'send', data: {} })
  await queue.createWorker().start()
  for await (const event of queue.events(id)) {
    if (event.name === 'send' && event.type === 'completed') expect(event.result + 1).toBe(3)
    if (event.name === 'send' && event.type === 'state') expect(event.job.data.to).toBe('me')
  }
  await until(() => results.length === 1)
  expect(results).toEqual([2])
})

test('a unique key refuses, keeps or replaces, and a replaced job that runs is aborted', async () => {
  const queue = await memory()
  const cancelled: string[] = []
  queue.on('cancelled', event => cancelled.push(event.jobId))
  let aborted = false
  queue.registerHandler('wait', (_job, { signal }) => new Promise(resolve => signal.addEventListener('abort', () => {
    aborted = true
    resolve(undefined)
  })))
  const first = await queue.addJob('wait', 1, { uniqueKey: 'k' })
  await queue.createWorker({ shutdownTimeout: 100 }).start()
  await until(async () => (await queue.getJob(first.id))?.status === 'running')
  await expect(queue.addJob('wait', 2, { uniqueKey: 'k' })).rejects.toMatchObject({
    code: 'AUTON8N_JOB_DUPLICATE', details: { jobId: first.id },
  })
  const kept = await queue.addJob('wait', 3, { uniqueKey: 'k', onDuplicate: 'keep' })
  expect([kept.id, kept.data]).toEqual([first.id, 1])
  const replacing = await queue.addJob('wait', 4, { uniqueKey: 'k', onDuplicate: 'replace' })
  await until(() => aborted && cancelled.includes(first.id))
  await until(async () => (await queue.getJob(replacing.id))?.status === 'running')
  await expect(queue.addJob('wait', 4, { uniqueKey: 'k', onDuplicate: 'maybe' as never })).rejects.toMatchObject({
    code: 'AUTON8N_OPTION_INVALID',
  })
})

test('limits hold for all workers of a queue, and jobs go on as there is room', async () => {
  const queue = await memory()
  let running = 0
  let most = 0
  const of = new Map<string, number>()
  let mostOfKey = 0
  queue.registerHandler('work', async job => {
    const key = job.options.fairKey ?? ''
    most = Math.max(most, ++running)
    of.set(key, (of.get(key) ?? 0) + 1)
    mostOfKey = Math.max(mostOfKey, of.get(key) ?? 0)
    await new Promise(resolve => setTimeout(resolve, 5))
    running--
    of.set(key, (of.get(key) ?? 0) - 1)
  })
  await queue.setLimits({ concurrency: 3, perKey: { concurrency: 2 } })
  expect(await queue.getLimits()).toEqual({ concurrency: 3, perKey: { concurrency: 2 } })
  for (let worker = 0; worker < 3; worker++) await queue.createWorker({ concurrency: 4 }).start()
  await queue.addBulkJobs(Array.from({ length: 40 }, (_, n) => ({ name: 'work', data: n, options: { fairKey: `k${n % 2}` } })))
  await until(async () => (await queue.getMetrics()).completed === 40)
  expect([most, mostOfKey]).toEqual([3, 2])
  for (const limits of [{ concurrency: 0 }, { rate: { count: 1 } }, { rate: { count: 0, per: 5 } }, { most: 1 }, null]) {
    await expect(queue.setLimits(limits as never)).rejects.toMatchObject({ code: 'AUTON8N_OPTION_INVALID' })
  }
})

test('a rate lets so many jobs start in its time, and the rest later by themselves', async () => {
  const queue = await memory()
  const starts: number[] = []
  queue.registerHandler('work', () => void starts.push(performance.now()))
  await queue.setLimits({ rate: { count: 2, per: 150 } })
  await queue.addBulkJobs(Array.from({ length: 6 }, () => ({ name: 'work', data: null })))
  await queue.createWorker({ concurrency: 10 }).start()
  await until(() => starts.length === 6)
  const windows = [0, 2, 4].map(n => starts[n] ?? 0)
  expect((windows[1] ?? 0) - (windows[0] ?? 0)).toBeGreaterThan(140)
  expect((windows[2] ?? 0) - (windows[1] ?? 0)).toBeGreaterThan(140)
})

test('jobs of a batch wait for one another, and fail with the one that they waited for', async () => {
  const queue = await memory()
  const order: unknown[] = []
  queue.registerHandler('step', job => {
    order.push(job.data)
    if (job.data === 'breaks') throw new Error('no')
  })
  await queue.createWorker({ concurrency: 5 }).start()
  const [last, , , top] = await queue.addBulkJobs([
    { name: 'step', data: 'last', options: { dependsOn: ['left', 'right'] } },
    { name: 'step', data: 'left', ref: 'left', options: { dependsOn: ['top'] } },
    { name: 'step', data: 'right', ref: 'right', options: { dependsOn: ['top'] } },
    { name: 'step', data: 'top', ref: 'top' },
  ])
  expect(last).toMatchObject({ status: 'scheduled', waitsFor: 2 })
  await until(() => order.length === 4)
  expect([order[0], order[3]]).toEqual(['top', 'last'])
  const late = await queue.addJob('step', 'late', { dependsOn: [top?.id ?? ''] })
  await until(() => order.includes('late'))
  expect(late.status).toBe('pending')
  const failed: JobEvent[] = []
  queue.on('failed', event => failed.push(event))
  const parent = await queue.addJob('step', 'breaks', { retries: 0, delay: 20 })
  const child = await queue.addJob('step', 'child', { dependsOn: [parent.id] })
  const heir = await queue.addJob('step', 'heir', { dependsOn: [parent.id], onParentFailure: 'run' })
  await until(() => failed.some(event => event.jobId === child.id) && order.includes('heir'))
  expect(await queue.getJob(child.id)).toMatchObject({ status: 'failed', error: { code: 'AUTON8N_DEPENDENCY_FAILED' } })
  await until(async () => (await queue.getJob(heir.id))?.status === 'completed')
  await expect(queue.addJob('step', 1, { dependsOn: ['nothing'] })).rejects.toMatchObject({ code: 'AUTON8N_JOB_NOT_FOUND' })
  const circle = [{ name: 'step', data: 1, ref: 'a', options: { dependsOn: ['a'] } }]
  await expect(queue.addBulkJobs(circle)).rejects.toMatchObject({ code: 'AUTON8N_OPTION_INVALID' })
})

test('a schedule adds its job at its times', async () => {
  const queue = await memory()
  const ran: Job[] = []
  queue.registerHandler('tick', job => void ran.push(job))
  await queue.createWorker().start()
  const made = await queue.schedule('every-second', { cron: '* * * * * *', timeZone: 'Asia/Tokyo', name: 'tick', data: { n: 1 } })
  expect(made).toMatchObject({ id: 'every-second', missed: 'once', name: 'tick', data: { n: 1 }, timeZone: 'Asia/Tokyo' })
  await until(() => ran.length >= 2)
  expect(ran[0]).toMatchObject({ data: { n: 1 }, options: { metadata: { schedule: { id: 'every-second', at: made.nextAt } } } })
  expect((await queue.getSchedules()).map(({ id, lastAt }) => [id, typeof lastAt])).toEqual([['every-second', 'number']])
  expect([await queue.unschedule('every-second'), await queue.unschedule('every-second')]).toEqual([true, false])
  for (const wrong of [{ cron: 'x' }, { cron: '* * * * *', timeZone: 'Mars' }, { cron: '0 0 30 2 *' }, { cron: '* * * * *', every: 1 }]) {
    await expect(queue.schedule('a', { name: 'tick', ...wrong } as never)).rejects.toMatchObject({ code: 'AUTON8N_OPTION_INVALID' })
  }
})

test('events of a job begin with its present state and end with it', async () => {
  const queue = await memory()
  let go: () => void = () => undefined
  queue.registerHandler('work', async (_job, { progress, log }) => {
    await new Promise<void>(resolve => (go = resolve))
    progress(50)
    log('half')
    return 7
  })
  const job = await queue.addJob('work', 1)
  await queue.createWorker().start()
  await until(async () => (await queue.getJob(job.id))?.status === 'running')
  const all = queue.events()
  const first = all.next()
  const types: string[] = []
  for await (const event of job.events()) {
    types.push(event.type === 'state' ? `state ${event.job.status}` : event.type)
    if (event.type === 'state') go()
  }
  expect(types).toEqual(['state running', 'progress', 'log', 'completed'])
  expect((await first).value).toMatchObject({ type: 'progress', jobId: job.id })
  const late: JobEvent[] = []
  for await (const event of queue.events(job.id)) late.push(event)
  expect(late).toMatchObject([{ type: 'state', job: { status: 'completed', result: 7 } }])
  for await (const event of queue.events('nothing')) throw new Error(event.type)
  const waiting = queue.events()
  const next = waiting.next()
  await queue.shutdown()
  expect((await next).done).toBe(true)
})

test('a reader who does not keep up misses the oldest events only', async () => {
  const queue = await memory()
  const events = queue.events()
  const first = events.next()
  await queue.addBulkJobs(Array.from({ length: 1_500 }, () => ({ name: 'work', data: null })))
  expect((await first).value).toMatchObject({ type: 'added' })
  await until(async () => (await queue.getMetrics()).pending === 1_500)
  await new Promise(resolve => setTimeout(resolve, 50))
  await queue.shutdown()
  let rest = 0
  for await (const event of events) rest += event.type === 'added' ? 1 : 0
  expect(rest).toBe(1_000)
})

test('the trace of whoever adds a job is active in its handler', async () => {
  const queue = await memory()
  const tracer = new Tracer({ serviceName: 'test' })
  let seen: unknown
  let runs = 0
  queue.registerHandler('work', () => {
    if (runs++ === 0) throw new RetryAfterError(1)
    const inner = tracer.startSpan('inner')
    seen = { ...inner.context }
    inner.end()
  })
  await queue.createWorker().start()
  const span = tracer.startSpan('outer')
  span.setBaggage('user', 'me')
  const job = await tracer.withSpan(span, () => queue.addJob('work', 1))
  expect(job.options.trace).toMatchObject({ traceparent: expect.stringContaining(span.context.traceId) as string, baggage: 'user=me' })
  await until(() => seen !== undefined)
  expect(seen).toMatchObject({ traceId: span.context.traceId, flags: span.context.flags, baggage: { user: 'me' } })
  expect((await queue.addJob('other', 1)).options.trace).toBeUndefined()
  await expect(queue.addJob('other', 1, { trace: { traceparent: 'x'.repeat(9_000) } })).rejects.toMatchObject({ code: 'AUTON8N_OPTION_INVALID' })
})

test("a trace of OpenTelemetry's own API travels with a job too", async () => {
  const manager = new AsyncLocalStorageContextManager().enable()
  context.setGlobalContextManager(manager)
  try {
    const queue = await memory()
    let seen: string | undefined
    queue.registerHandler('work', async () => {
      await new Promise(resolve => setTimeout(resolve, 2))
      seen = trace.getActiveSpan()?.spanContext().traceId ?? 'none'
    })
    await queue.createWorker().start()
    const traceId = 'ab'.repeat(16)
    const span = trace.wrapSpanContext({ traceId, spanId: 'cd'.repeat(8), traceFlags: 1 })
    await context.with(trace.setSpan(context.active(), span), () => queue.addJob('work', 1))
    await until(() => seen !== undefined)
    expect(seen).toBe(traceId)
  } finally {
    context.disable()
  }
})
