import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openEngine, type EngineLogRecord, type EngineOptions } from '../../plugin/index.js'
import { greetingSpecification } from '../support/greetingPlugin.js'

const secret = ['ghp', '1234567890abcdefghijklmnopqrstuvwxAB'].join('_')

interface Line {
  level: string
  message: string
  record: EngineLogRecord
}

let home: string

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'auton8n-log-'))
})
afterAll(() => rm(home, { recursive: true, force: true }))

describe('the log of an engine', () => {
  it('says of each line which job, trace and stage it is about, and shows no secret', async () => {
    const lines: Line[] = []
    const to = (level: string) => (record: EngineLogRecord, message: string) => void lines.push({ level, message, record })
    const logger = { info: to('info'), warn: to('warn'), error: to('error') }
    const engine = await openEngine({ dataDir: join(home, 'told'), sandbox: false, logger })
    const model = () => Promise.reject(Object.assign(new Error(`the key ${secret} is wrong`), { statusCode: 401 }))
    const { id } = await engine.createPlugin(greetingSpecification, { model, generator: 'model' })
    const job = await engine.creation(id).finished()
    expect(job.status).toBe('failed')
    await engine.close()

    const stages = lines.filter(({ message }) => message === 'a stage ended').map(({ record }) => record.stage)
    expect(stages).toEqual(['validate', 'scan', 'generate'])
    const failure = lines.find(({ message }) => message.startsWith('a call of the model failed'))
    expect(failure).toMatchObject({ level: 'warn', record: { code: 'AUTON8N_MODEL_UNAUTHORIZED' } })
    expect(lines.at(-1)).toMatchObject({ level: 'warn', message: expect.stringContaining('a creation failed') })
    for (const { record } of lines) {
      expect(record).toMatchObject({ jobId: id, traceId: id.replaceAll('-', ''), at: expect.any(Number) })
    }
    expect(JSON.stringify(lines)).not.toContain(secret)
  })

  it('outlives a logger that throws', async () => {
    const broken = (): never => {
      throw new Error('no disk')
    }
    const logger = { info: broken, warn: broken, error: broken }
    const engine = await openEngine({ dataDir: join(home, 'broken'), sandbox: false, logger })
    const creation = await engine.createPlugin(greetingSpecification, { generator: 'template' })
    expect((await creation.finished()).status).toBe('completed')
    await engine.close()
  })

  it.each([[null], [7], [{}], [{ info: 1, warn: 2, error: 3 }]])('is not given to %o', async (logger) => {
    await expect(openEngine({ dataDir: join(home, 'x'), logger } as unknown as EngineOptions)).rejects.toMatchObject({
      code: 'AUTON8N_OPTION_INVALID',
      message: expect.stringContaining('logger'),
    })
  })
})

describe('the health of an engine', () => {
  it('says that it lives and takes jobs, what is missing and what to do', async () => {
    const unreachable = 'http://127.0.0.1:9'
    const breaker = { failureThreshold: 1 }
    const engine = await openEngine({ dataDir: join(home, 'ill'), sandbox: false, breaker, tracing: { url: unreachable } })
    try {
      const before = await engine.health()
      expect(before).toMatchObject({ status: 'degraded', live: true, ready: true })
      expect(before.reasons.map(({ code }) => code)).toEqual(['AUTON8N_SANDBOX_UNAVAILABLE'])
      const model = () => Promise.reject(Object.assign(new Error('down'), { statusCode: 503 }))
      await engine.createPlugin(greetingSpecification, { model, generator: 'model' })
      const deadline = Date.now() + 30_000
      let reasons = before.reasons
      while (reasons.length < 2 && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 50))
        reasons = (await engine.health()).reasons
      }
      expect(reasons[0]).toMatchObject({ code: 'AUTON8N_BREAKER_OPEN', message: expect.stringMatching(/again in \d+ s.*key/) })
    } finally {
      await engine.close()
    }
  })
})
