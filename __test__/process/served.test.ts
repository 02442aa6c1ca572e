import { rm } from 'node:fs/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openEngine, type Engine } from '../../plugin/api/engine.js'
import type { EngineLogRecord } from '../../plugin/api/logger.js'
import { formatReply } from '../../plugin/api/reply.js'
import { startChild, type Child } from '../support/child.js'
import { example, templateFiles, temporary, type Files } from '../support/workplace.js'

let directory = ''
let owner: Child
let engine: Engine
let good: Files | undefined

beforeEach(async () => {
  directory = temporary()
  owner = startChild(`
    const engine = await openEngine({ dataDir: ${JSON.stringify(directory)} })
    say('ready')
    setInterval(() => {}, 1000)`)
  await owner.line('ready')
  engine = await openEngine({ dataDir: directory })
})

afterEach(async () => {
  await engine.close()
  await owner.kill()
  await rm(directory, { recursive: true, force: true })
})

it('a second process on a data directory is served: it adds, reads, hears and cancels', async () => {
  const creation = await engine.createPlugin(example('weather'), { generator: 'template' })
  const heard: string[] = []
  for await (const event of creation.events()) heard.push(event.type)
  expect(heard.at(-1)).toBe('done')
  expect(heard).toContain('stage')
  const { report } = await creation.result()
  expect(report.verdict).toBe('passed')
  expect((await engine.jobs({ status: 'completed' })).map((job) => job.id)).toEqual([creation.id])
  expect((await engine.health()).status).toBe('ok')
})

it('a served process hears the log of its own jobs', async () => {
  const lines: { message: string; record: EngineLogRecord }[] = []
  const hear = (record: EngineLogRecord, message: string): void => void lines.push({ message, record })
  const listening = await openEngine({ dataDir: directory, logger: { info: hear, warn: hear, error: hear } })
  try {
    const creation = await listening.createPlugin(example('weather'), { generator: 'template' })
    await creation.finished()
    await expect.poll(() => lines.map(({ message }) => message)).toContain('a plugin was created')
    expect(new Set(lines.map(({ record }) => record.jobId))).toEqual(new Set([creation.id]))
    expect(new Set(lines.map(({ record }) => record.traceId))).toEqual(new Set([creation.id.replaceAll('-', '')]))
    expect(lines.map(({ record }) => record.stage)).toContain('boot')
  } finally {
    await listening.close()
  }
})

it('the model of a served process answers for its own job, and its call is given up with the job', async () => {
  good ??= await templateFiles(engine, example('weather'))
  let asked = 0
  const creation = await engine.createPlugin(example('weather'), {
    model: async ({ prompt }) => {
      asked += 1
      expect(prompt).toContain('GET_WEATHER')
      return formatReply(good ?? {})
    },
  })
  expect((await creation.result()).report.verdict).toBe('passed')
  expect(asked).toBe(1)

  let aborted = false
  let called = (): void => {}
  const waiting = new Promise<void>((resolve) => (called = resolve))
  const hanging = await engine.createPlugin(example('weather'), {
    model: ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true
          reject(new Error('given up'))
        })
        called()
      }),
  })
  await waiting
  expect(await hanging.cancel()).toBe(true)
  await expect(hanging.result()).rejects.toMatchObject({ code: 'AUTON8N_CANCELLED' })
  await expect.poll(() => aborted).toBe(true)
})

it('what is wrong is told to a served process with its code', async () => {
  await expect(engine.createPlugin({ name: '../x', description: 'x' })).rejects.toMatchObject({
    code: 'AUTON8N_SPECIFICATION_INVALID',
  })
})

it('when the owner dies, a served engine takes its place with its jobs and their models', async () => {
  good ??= await templateFiles(engine, example('weather'))
  let asked = 0
  let called = (): void => {}
  const waiting = new Promise<void>((resolve) => (called = resolve))
  const creation = await engine.createPlugin(example('weather'), {
    model: ({ signal }) => {
      asked += 1
      if (asked > 1) return Promise.resolve(formatReply(good ?? {}))
      called()
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('given up'))))
    },
  })
  await waiting
  const finished = creation.finished()
  await owner.kill()
  expect((await engine.jobs()).map((job) => job.id)).toEqual([creation.id])
  expect(await finished).toMatchObject({ status: 'completed', report: { verdict: 'passed' } })
  expect(asked).toBe(2)
  expect((await engine.health()).status).toBe('ok')
})

it('of two served engines one takes the place of the owner, and serves the other', async () => {
  const other = startChild(`
    const engine = await openEngine({ dataDir: ${JSON.stringify(directory)} })
    say('ready')
    const creation = await engine.createPlugin(${JSON.stringify(example('weather'))}, { generator: 'template' })
    await creation.finished()
    say('first')
    setInterval(async () => {
      const jobs = await engine.jobs()
      if (jobs.length === 2 && jobs.every((job) => job.status === 'completed')) say('both')
    }, 50)`)
  try {
    await other.line('first')
    await owner.kill()
    // A creation that is asked for at that very moment is not asked for again.
    await engine.jobs()
    const creation = await engine.createPlugin(example('weather'), { generator: 'template' })
    expect(await creation.finished()).toMatchObject({ status: 'completed' })
    await other.line('both')
  } finally {
    await other.kill()
  }
})

it('a served engine that is closed says so, and leaves the directory to the next owner', async () => {
  await engine.close()
  await expect(engine.jobs()).rejects.toMatchObject({ code: 'AUTON8N_CLOSED' })
  await owner.kill()
  engine = await openEngine({ dataDir: directory })
  expect(await engine.jobs()).toEqual([])
})

it('an engine beside a process that uses only queues of the directory is told so', async () => {
  await engine.close()
  await owner.kill()
  owner = startChild(`
    const queue = await JobQueue.open('mail', { dataDir: ${JSON.stringify(directory)} })
    say('ready')
    setInterval(() => {}, 1000)`)
  await owner.line('ready')
  await expect(openEngine({ dataDir: directory })).rejects.toMatchObject({
    code: 'AUTON8N_STORE_BUSY',
    message: expect.stringContaining(`process ${owner.pid} `) as string,
  })
  await owner.kill()
  engine = await openEngine({ dataDir: directory })
  expect((await engine.health()).status).toBe('ok')
})
