import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { JobQueue, type JobEvents } from '../../plugin/api/queue.js'
import { after, killChildren, seeded, startNode, until, type Child } from '../support/children.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const script = join(root, '__test__/process/queue-child.mjs')
/** `npm run faults:queue` sets it to 200. */
const rounds = Number(process.env['AUTON8N_FAULT_ROUNDS'] ?? 8)
const queues: JobQueue[] = []
let dataDir = ''

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'auton8n-process-'))
})

afterEach(async () => {
  await Promise.all(queues.splice(0).map(queue => queue.shutdown()))
  await killChildren()
  rmSync(dataDir, { recursive: true, force: true })
})

function start(mode: string, argument = ''): Child {
  return startNode([script, mode, dataDir, argument])
}

async function open(): Promise<JobQueue> {
  const queue = await JobQueue.open('q', { dataDir, retention: { count: 1e9 } })
  queues.push(queue)
  return queue
}

test('kill -9 at seeded moments loses no acknowledged job', async () => {
  const random = seeded(20_261_125)
  const added: string[] = []
  const completed: string[] = []
  const passing: string[] = []
  const runs: string[] = []
  for (let round = 0; round < rounds; round++) {
    const child = start('busy')
    await until(() => after(child.lines, 'added').length > 20)
    await new Promise(resolve => setTimeout(resolve, random() * 150))
    child.process.kill('SIGKILL')
    await child.ended
    added.push(...after(child.lines, 'added'))
    passing.push(...after(child.lines, 'passing'))
    completed.push(...after(child.lines, 'completed'))
    runs.push(...after(child.lines, 'ran'))
  }
  const drain = start('drain')
  expect(await drain.ended).toBe(0)
  const last = after(drain.lines, 'ran')
  const queue = await open()
  const metrics = await queue.getMetrics()
  const known = await Promise.all(added.map(id => queue.getJob(id)))
  const ran = new Set([...runs, ...last])
  const lost = [...known.filter(job => job?.status !== 'completed'), ...passing.filter(id => !ran.has(id))]
  const again = last.filter(id => completed.includes(id))
  console.log(`kill -9 ${rounds} times: acknowledged ${added.length + passing.length}, lost ${lost.length}, told as completed and run again ${again.length}, runs ${runs.length + last.length}`)
  expect(lost).toEqual([])
  expect(again).toEqual([])
  expect(metrics.completed).toBeGreaterThanOrEqual(added.length)
})

test('a job that was running when its process was killed runs again at the next start', async () => {
  const queue = await open()
  const job = await queue.addJob('work', 1)
  await queue.shutdown()
  const child = start('stuck')
  await until(() => child.lines.includes('started'))
  child.process.kill('SIGKILL')
  await child.ended
  const drain = start('drain')
  expect(await drain.ended).toBe(0)
  expect(after(drain.lines, 'ran')).toEqual([job.id])
})

test('a job that kills its process again and again fails', async () => {
  const queue = await open()
  const job = await queue.addJob('work', 1)
  await queue.shutdown()
  for (let n = 0; n < 4; n++) expect(await start('kills').ended).toBeNull()
  const child = start('kills')
  expect(await child.ended).toBe(0)
  expect(await (await open()).getJob(job.id)).toMatchObject({ status: 'failed', error: { code: 'AUTON8N_LEASE_LOST' } })
})

test('a second process is served, and takes the place of its owner with its workers when that one dies', async () => {
  const owner = start('sleep')
  await until(() => owner.lines.includes('ready'))
  const queue = await open()
  expect(queue.served).toBe(true)
  const told: string[] = []
  const hear = (event: JobEvents[keyof JobEvents]) => void told.push(event.type)
  queue.on('added', hear).on('cancelled', hear)
  const [one, two] = await Promise.all([queue.addJob('work', 1), queue.addJob('work', 2, { uniqueKey: 'k' })])
  await expect(queue.addJob('work', 3, { uniqueKey: 'k' })).rejects.toMatchObject({
    code: 'AUTON8N_JOB_DUPLICATE',
    details: { jobId: two.id },
  })
  expect((await queue.getJobs()).map(job => job.id).sort()).toEqual([one.id, two.id].sort())
  expect(await queue.cancelJob(one.id)).toBe(true)
  await until(() => told.filter(type => type === 'added').length === 2 && told.includes('cancelled'))
  const ran: string[] = []
  queue.registerHandler('work', job => void ran.push(job.id))
  await queue.createWorker({ concurrency: 2 }).start()
  const third = start('serve')
  await until(() => third.lines.includes('ready'))
  expect(ran).toEqual([])
  const died = Date.now()
  owner.process.kill('SIGKILL')
  await until(() => ran.length + after(third.lines, 'ran').length === 1)
  console.log(`a served process worked ${Date.now() - died} ms after its owner was killed`)
  expect([...ran, ...after(third.lines, 'ran')]).toEqual([two.id])
  const more = await queue.addJob('work', 4)
  await until(async () => (await queue.getJob(more.id))?.status === 'completed')
  await until(() => queue.served === third.lines.includes('served false'))
})

test('what is added at once keeps its order, in a served process and while it takes the place of the owner', async () => {
  const owner = start('sleep')
  await until(() => owner.lines.includes('ready'))
  const queue = await open()
  let next = 0
  const some = (count: number) =>
    Array.from({ length: count }, () => {
      const add = queue.addJob('work', next++, next % 3 ? undefined : {})
      // One that is refused is looked at in the end.
      add.catch(() => undefined)
      return add
    })
  await Promise.all(some(400))
  expect(queue.served).toBe(true)
  await owner.kill()
  const adds: Promise<unknown>[] = []
  // Some wait for a new owner, and some come when it is there.
  for (let turns = 0; turns < 20 || (queue.served && turns < 5_000); turns++) {
    adds.push(...some(2))
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  adds.push(...some(50))
  const told = await Promise.allSettled(adds)
  const order: unknown[] = []
  for (let cursor: string | undefined; ;) {
    const page = await queue.getJobs({ limit: 1_000, ...(cursor ? { cursor } : {}) })
    order.unshift(...page.map(job => job.data).toReversed())
    cursor = page.at(-1)?.id
    if (page.length < 1_000) break
  }
  const refused = new Set(told.flatMap((one, n) => (one.status === 'rejected' ? [400 + n] : [])))
  expect(order).toEqual(Array.from({ length: next }, (_, n) => n).filter(n => !refused.has(n)))
})

test('an owner that does not answer is busy', async () => {
  const owner = start('sleep')
  await until(() => owner.lines.includes('ready'))
  owner.process.kill('SIGSTOP')
  // The signal is under way for a moment, in which the owner still answers.
  await until(() => readFileSync(`/proc/${owner.process.pid}/stat`, 'utf8').includes(') T '))
  await expect(JobQueue.open('q', { dataDir, retention: { count: 1e9 } })).rejects.toMatchObject({ code: 'AUTON8N_STORE_BUSY' })
})

test.each(['idle', 'shut'])('a process ends by itself: %s', async mode => {
  const child = start(mode)
  const patience = new Promise(resolve => setTimeout(() => resolve('still there'), 60_000).unref())
  expect(await Promise.race([child.ended, patience])).toBe(0)
  expect(child.lines).toEqual([mode])
})

test('a worker keeps its process until its delayed job ran', async () => {
  const child = start('waits', '300')
  expect(await child.ended).toBe(0)
  expect(child.lines).toEqual(['waits', 'ran now'])
})

test('a schedule keeps the process of a worker, and the events of a queue that of their reader', async () => {
  const ticks = start('scheduled')
  await until(() => after(ticks.lines, 'ran').length >= 2)
  const hears = start('hear')
  await until(() => hears.lines.includes('hears'))
  const queue = await open()
  const job = await queue.addJob('work', 1)
  await until(() => after(hears.lines, 'heard').includes(job.id))
  expect([ticks, hears].map(child => child.process.exitCode)).toEqual([null, null])
})
