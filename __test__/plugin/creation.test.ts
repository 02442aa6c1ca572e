import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  Auton8nError,
  createPlugin,
  formatReply,
  openEngine,
  type CreatePluginOptions,
  type CreationEvent,
  type Engine,
  type EngineOptions,
  type ModelFunction,
} from '../../plugin/index.js'
import { buildPackage } from '../support/builtPackage.js'
import { greetingFiles, greetingSpecification } from '../support/greetingPlugin.js'
import { sandboxIsHere } from '../support/needs.js'

const sandbox = await sandboxIsHere()

let home: string
let engine: Engine

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'auton8n-creation-'))
  engine = await openEngine({ dataDir: join(home, 'data') })
})
afterAll(async () => {
  await engine.close()
  await rm(home, { recursive: true, force: true })
})

const unauthorized: ModelFunction = () => Promise.reject(Object.assign(new Error('no such key'), { statusCode: 401 }))

function refusal(call: () => Promise<unknown>): Promise<unknown> {
  return call().then(
    () => 'nothing was refused',
    (error: unknown) => error,
  )
}

describe('options that cannot be are refused by name', () => {
  it.each<[string, unknown]>([
    ['options', null],
    ['options', []],
    ['options', 7],
    ['options.maxIteration', { maxIteration: 3 }],
    ['options.maxIterations', { maxIterations: 0 }],
    ['options.maxIterations', { maxIterations: 1.5 }],
    ['options.maxIterations', { maxIterations: '5' }],
    ['options.priority', { priority: 4 }],
    ['options.timeout', { timeout: -1 }],
    ['options.userId', { userId: '' }],
    ['options.metadata', { metadata: [] }],
    ['options.metadata', { metadata: { big: 1n } }],
    ['options.generator', { generator: 'magic' }],
    ['options.model', { model: null }],
    ['options.model', { model: 'gpt-5' }],
    ['options.model', { model: { specificationVersion: 'v1', doGenerate: () => undefined } }],
    ['options.apiKey', { apiKey: null }],
    ['options.baseURL', { baseURL: 'file:///etc/passwd' }],
    ['generator', { generator: 'model' }],
  ])('%s (%#)', async (name, options) => {
    const error = await refusal(() => engine.createPlugin(greetingSpecification, options as CreatePluginOptions))
    expect(error).toBeInstanceOf(Auton8nError)
    expect(error).toMatchObject({ code: 'AUTON8N_OPTION_INVALID', message: expect.stringContaining(name) })
  })

  it('of the free function, before an engine is opened', async () => {
    const error = await refusal(() => createPlugin(greetingSpecification, null as unknown as string))
    expect(error).toMatchObject({ code: 'AUTON8N_OPTION_INVALID' })
  })

  it.each<[string, unknown]>([
    ['dataDirectory', { dataDirectory: 'x' }],
    ['dataDir', { dataDir: '' }],
    ['concurrency', { concurrency: 0 }],
    ['sandbox', { sandbox: true }],
    ['model', { model: 7 }],
  ])('of an engine: %s', async (name, options) => {
    const error = await refusal(() => openEngine(options as EngineOptions))
    expect(error).toMatchObject({ code: 'AUTON8N_OPTION_INVALID', message: expect.stringContaining(name) })
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['a text', 'x'],
    ['nothing', undefined],
    ['a list', []],
    ['a circle', Object.assign({ name: 'plugin-a' }, { self: undefined as unknown })],
    ['a bad name', { ...greetingSpecification, name: '../../etc/passwd' }],
  ])('of a specification: %s', async (_name, specification) => {
    if (_name === 'a circle') (specification as { self: unknown }).self = specification
    const error = await refusal(() => engine.createPlugin(specification as typeof greetingSpecification))
    expect(error).toMatchObject({
      code: 'AUTON8N_SPECIFICATION_INVALID',
      details: { problems: expect.arrayContaining([expect.objectContaining({ path: expect.any(String) })]) },
    })
  })

  it('says that words need a model', async () => {
    expect(await refusal(() => engine.createPluginFromDescription('a plugin that greets'))).toMatchObject({
      code: 'AUTON8N_MODEL_NEEDED',
    })
  })

  it('says that there is no such job', async () => {
    expect(await engine.job('01999999-0000-7000-8000-000000000000')).toBeNull()
    const creation = engine.creation('01999999-0000-7000-8000-000000000000')
    expect(await refusal(() => creation.status())).toMatchObject({ code: 'AUTON8N_JOB_NOT_FOUND' })
    expect(await refusal(() => creation.result())).toMatchObject({ code: 'AUTON8N_JOB_NOT_FOUND' })
  })
})

describe('engines of one process on one data directory', () => {
  it('are one engine until the last is closed', async () => {
    const dataDir = join(home, 'shared')
    const [one, other] = await Promise.all([openEngine({ dataDir }), openEngine({ dataDir })])
    const creation = await one.createPlugin(greetingSpecification)
    expect(await other.job(creation.id)).toMatchObject({ id: creation.id })
    await other.cancel(creation.id)
    await one.close()
    await one.close()
    expect(await refusal(() => one.jobs())).toMatchObject({ code: 'AUTON8N_CLOSED' })
    expect(await other.jobs()).toHaveLength(1)
    const closing = other.close()
    const again = await openEngine({ dataDir })
    await closing
    expect(await again.jobs()).toHaveLength(1)
    await again.close()
  })
})

describe.skipIf(!sandbox)('a creation', () => {
  it('tells its stages in their order, ends with the job, and gives the plugin', async () => {
    const outDir = join(home, 'out')
    const creation = await engine.createPlugin(greetingSpecification, { userId: 'ann', metadata: { order: 7 }, outDir })
    const events = await all(creation.events())
    expect(events[0]).toMatchObject({ type: 'status', jobId: creation.id, snapshot: { id: creation.id } })
    expect(events.at(-1)).toMatchObject({ type: 'done', status: 'completed' })
    const stages = events.flatMap((event) => (event.type === 'stage' ? [event.stage] : []))
    expect(stages).toEqual([...new Set(stages)])
    expect(stages.at(-1)).toBe('package')

    const created = await creation.result()
    expect(created).toMatchObject({ name: '@acme/plugin-greeting', directory: outDir, report: { verdict: 'passed' } })
    expect(existsSync(created.tarball)).toBe(true)
    expect(JSON.parse(await readFile(join(created.directory, 'package.json'), 'utf8'))).toMatchObject({
      name: '@acme/plugin-greeting',
    })
    const snapshot = await creation.status()
    expect(snapshot).toMatchObject({ status: 'completed', progress: 100, userId: 'ann', metadata: { order: 7 } })
    expect(await engine.jobs({ status: 'completed' })).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: creation.id, name: '@acme/plugin-greeting' })]),
    )
    // Who comes late sees the state and the end.
    expect((await all(creation.events())).map(({ type }) => type)).toEqual(
      expect.arrayContaining(['status', 'done']),
    )
    expect(await creation.cancel()).toBe(false)
  })

  it('asks a model function, and again with what was wrong', async () => {
    const wrong = `${greetingFiles['src/greetPerson.ts'] ?? ''}\nexport const count: number = 'text'\n`
    const broken = { ...greetingFiles, 'src/greetPerson.ts': wrong }
    const asked: number[] = []
    const model: ModelFunction = async ({ iteration }) => {
      asked.push(iteration)
      const text = formatReply(asked.length === 1 ? broken : greetingFiles)
      return { text, usage: { inputTokens: 10, outputTokens: 20 }, finishReason: 'stop' }
    }
    const created = await (await engine.createPlugin(greetingSpecification, { model })).result()
    expect(asked).toEqual([1, 2])
    expect(created.report).toMatchObject({ iterations: 2, tokens: { input: 20, output: 40 } })
  })

  it('ends with the error of the model, and its report', async () => {
    const creation = await engine.createPlugin(greetingSpecification, { model: unauthorized })
    const error = await refusal(() => creation.result())
    expect(error).toBeInstanceOf(Auton8nError)
    expect(error).toMatchObject({ code: 'AUTON8N_MODEL_UNAUTHORIZED' })
    expect((await all(creation.events())).at(-1)).toMatchObject({ type: 'done', status: 'failed' })
  })

  it('is cancelled while the model is asked, whose signal says so', async () => {
    let signal: AbortSignal | undefined
    const model: ModelFunction = (request) => {
      signal = request.signal
      return new Promise((_, reject) => request.signal.addEventListener('abort', () => reject(request.signal.reason)))
    }
    const creation = await engine.createPlugin(greetingSpecification, { model })
    await expect.poll(() => signal !== undefined).toBe(true)
    const result = refusal(() => creation.result())
    expect(await creation.cancel()).toBe(true)
    expect(await result).toMatchObject({ code: 'AUTON8N_CANCELLED' })
    await expect.poll(() => signal?.aborted).toBe(true)
  })

  it('waits for a model after a restart, and goes on when the engine has one', async () => {
    const dataDir = join(home, 'restarted')
    const first = await openEngine({ dataDir })
    let asked = false
    const silent: ModelFunction = () => {
      asked = true
      return new Promise(() => undefined)
    }
    const { id } = await first.createPlugin(greetingSpecification, { model: silent, userId: 'ann' })
    await expect.poll(() => asked).toBe(true)
    await first.close()

    const second = await openEngine({ dataDir, model: async () => formatReply(greetingFiles) })
    try {
      expect(await second.creation(id).result()).toMatchObject({ name: '@acme/plugin-greeting' })
    } finally {
      await second.close()
    }
  })

  it('goes on when only the waiting is given up', async () => {
    const creation = await engine.createPlugin(greetingSpecification)
    const stop = new AbortController()
    const waiting = refusal(() => creation.result({ signal: stop.signal }))
    stop.abort(new Error('enough'))
    expect(await waiting).toMatchObject({ code: 'AUTON8N_CANCELLED', cause: new Error('enough') })
    expect(await creation.result()).toMatchObject({ name: '@acme/plugin-greeting' })
  })

  it('of a program that then has nothing more to do lets it end', async () => {
    const built = await buildPackage({ addon: true })
    try {
      const printed = await built.run(`
        import { createPlugin } from ${JSON.stringify(pathToFileURL(built.entry).href)}
        const creation = await createPlugin(${JSON.stringify(greetingSpecification)})
        const { name } = await creation.result()
        console.log('made ' + name)
      `)
      expect(printed).toContain('made @acme/plugin-greeting')
    } finally {
      await built.remove()
    }
  })
})

async function all(events: AsyncIterable<CreationEvent>): Promise<CreationEvent[]> {
  const list: CreationEvent[] = []
  for await (const event of events) list.push(event)
  return list
}
