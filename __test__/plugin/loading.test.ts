import { createHash } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ChannelType, type Memory, type Plugin } from '@elizaos/core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { jobToLoad, reachable, whoseText } from '../../plugin/actions/jobs.js'
import type { JobSnapshot } from '../../plugin/api/creation.js'
import { PluginLoader } from '../../plugin/pluginLoader.js'
import plugin, { auton8nPlugin, PluginCreationService } from '../../plugin/index.js'
import manifest from '../../package.json' with { type: 'json' }
import { becomePublic, bootAgent, type Agent } from '../support/agent.js'
import { buildPackage } from '../support/builtPackage.js'
import { startModelServer, type ModelServer } from '../support/modelServer.js'

const ACTIONS = [
  'CREATE_PLUGIN',
  'CREATE_PLUGIN_FROM_DESCRIPTION',
  'CHECK_PLUGIN_CREATION_STATUS',
  'CANCEL_PLUGIN_CREATION',
  'LIST_CREATED_PLUGINS',
  'LOAD_CREATED_PLUGIN',
]
const PROVIDERS = ['plugin_creation_status', 'plugin_creation_capabilities', 'plugin_registry', 'plugin_exists_check']
const ROUTES = [
  'GET /auton8n/health',
  'GET /auton8n/metrics',
  'GET /auton8n/jobs',
  'GET /auton8n/jobs/:id',
  'GET /auton8n/jobs/:id/events',
  'POST /auton8n/jobs',
  'DELETE /auton8n/jobs/:id',
]

let server: ModelServer
const rejections: unknown[] = []
const onRejection = (reason: unknown): void => void rejections.push(reason)

beforeAll(async () => {
  server = await startModelServer([{ kind: 'text', text: 'fine' }])
  process.on('unhandledRejection', onRejection)
})
afterAll(async () => {
  process.off('unhandledRejection', onRejection)
  await server.close()
})

describe('the package', () => {
  it('is the plugin by its default export and by its name', () => {
    expect(plugin).toBe(auton8nPlugin)
    expect(plugin.name).toBe('auton8n')
  })

  it('declares every setting that it reads', () => {
    expect(Object.keys(manifest.agentConfig.pluginParameters).sort()).toEqual([
      'ANTHROPIC_API_KEY',
      'ANTHROPIC_BASE_URL',
      'AUTON8N_ALLOW_LOAD',
      'AUTON8N_API_TOKEN',
      'AUTON8N_CONCURRENCY',
      'AUTON8N_DATA_DIR',
      'AUTON8N_MAX_ITERATIONS',
      'AUTON8N_OTLP_ENDPOINT',
      'AUTON8N_RATE_LIMIT',
      'AUTON8N_SANDBOX_CPUS',
      'AUTON8N_SANDBOX_ENGINE',
      'AUTON8N_SANDBOX_MEMORY',
      'AUTON8N_STORE',
      'CLAUDE_MODEL',
      'PLUGIN_DATA_DIR',
    ])
  })

  it('is loaded by core, by its name and by its path', async () => {
    const built = await buildPackage({ core: true })
    try {
      const printed = await built.run(`
        import { loadPlugin } from '@elizaos/core'
        const names = []
        for (const name of ['@elizaos/plugin-auton8n', ${JSON.stringify(pathToFileURL(built.entry).href)}]) {
          names.push((await loadPlugin(name))?.name)
        }
        console.log('loaded ' + names)
      `)
      expect(printed).toContain('loaded auton8n,auton8n')
    } finally {
      await built.remove()
    }
  })

  it('is imported without core and without the addon, and says what is missing at the first use', async () => {
    const built = await buildPackage()
    try {
      const printed = await built.run(`
        import { createPlugin } from '@elizaos/plugin-auton8n'
        const error = await createPlugin({ name: '@a/plugin-b', description: 'c' }).catch((error) => error)
        console.log(error.name, error.code, error.message)
      `)
      expect(printed).toContain('Auton8nError AUTON8N_ADDON_MISSING')
      expect(printed).toContain('linux-x64-gnu')
    } finally {
      await built.remove()
    }
  })
})

describe('an agent', () => {
  let agent: Agent | undefined
  afterEach(async () => {
    await agent?.stop()
    agent = undefined
  })

  async function boot(settings: Record<string, string> = {}, plugins: Plugin[] = [plugin]): Promise<Agent> {
    agent = await bootAgent({ plugins, modelUrl: server.url, settings })
    await agent.runtime.getServiceLoadPromise('plugin_creation')
    return agent
  }

  it('gets the service, the actions, the providers and the routes', async () => {
    const { runtime } = await boot()
    expect(runtime.getService('plugin_creation')).toBeInstanceOf(PluginCreationService)
    expect(runtime.getServiceRegistrationStatus('plugin_creation')).toBe('registered')
    expect(runtime.actions.map(({ name }) => name)).toEqual(expect.arrayContaining(ACTIONS))
    expect(runtime.providers.map(({ name }) => name)).toEqual(expect.arrayContaining(PROVIDERS))
    expect(runtime.routes.map(({ type, path }) => `${type} ${path}`).sort()).toEqual(ROUTES.sort())
  })

  it('is not slowed by it: no provider runs unasked', async () => {
    const { runtime } = await boot()
    const ours = runtime.providers.filter(({ name }) => PROVIDERS.includes(name))
    expect(ours.map(({ dynamic }) => dynamic)).toEqual([true, true, true, true])
  })

  it('hears what is missing where the engine cannot be opened, and nothing throws', async () => {
    const started = await boot({ AUTON8N_DATA_DIR: '/dev/null/auton8n', AUTON8N_CONCURRENCY: 'many' })
    const { runtime } = started
    const service = runtime.getService<PluginCreationService>('plugin_creation')
    const health = await service?.getHealthStatus()
    expect(health?.status).toBe('degraded')
    expect(health?.reasons.map(({ message }) => message).join(' ')).toContain('AUTON8N_CONCURRENCY')
    expect(health?.reasons.length).toBeGreaterThan(1)
    const asked = started.message('Create a plugin that tells the weather of a city')
    expect(await badAnswers(runtime, asked)).toEqual([])
    const state = await runtime.composeState(asked, PROVIDERS, true)
    const silent = PROVIDERS.filter((name) => !state.data.providers?.[name]?.text)
    expect(silent).toEqual([])
  })

  it('answers every action with success, text and the name, whatever is asked', async () => {
    const started = await boot()
    for (const text of ['', 'x', '{', '{"name":1}', '```json\n{"name":\n```', 'ä'.repeat(100_000)]) {
      expect(await badAnswers(started.runtime, started.message(text))).toEqual([])
    }
    const broken = { ...started.message(''), content: {} } as Memory
    expect(await badAnswers(started.runtime, broken)).toEqual([])
  })

  it('offers to load created plugins only where an operator allows it', async () => {
    const { runtime, message } = await boot()
    const load = runtime.actions.find(({ name }) => name === 'LOAD_CREATED_PLUGIN')
    expect(await load?.validate(runtime, message('load it'))).toBe(false)
    const result = await load?.handler(runtime, message('load it'))
    expect(result).toMatchObject({ success: false, error: 'AUTON8N_LOAD_REFUSED' })
  })

  it('lets only an owner or admin load created plugins, and the owner of a private talk is none', async () => {
    const { runtime, message, worldId, userId, roomId } = await boot({ AUTON8N_ALLOW_LOAD: 'true' })
    const load = runtime.actions.find(({ name }) => name === 'LOAD_CREATED_PLUGIN')
    expect(await load?.validate(runtime, message('load it'))).toBe(true)
    await becomePublic(runtime, roomId)
    expect(await load?.handler(runtime, message('load it'))).toMatchObject({ error: 'AUTON8N_LOAD_REFUSED' })
    const world = await runtime.getWorld(worldId)
    if (!world) throw new Error('there is no world')
    await runtime.updateWorld({ ...world, metadata: { ownership: { ownerId: userId } } })
    const result = await load?.handler(runtime, message('load it'))
    expect(result).toMatchObject({ success: false, error: 'AUTON8N_JOB_NOT_FOUND' })
    await becomePublic(runtime, roomId, ChannelType.DM)
    expect(await load?.handler(runtime, message('load it'))).toMatchObject({ error: 'AUTON8N_LOAD_REFUSED' })
  })

  it('does not throw where there is no message or the runtime is broken', async () => {
    const { runtime } = await boot()
    const broken = Object.create(runtime, { getService: { value: () => fail() } }) as Agent['runtime']
    for (const action of plugin.actions ?? []) {
      const nothing = null as unknown as Memory
      const said = { success: false, text: expect.stringMatching(/\S/) }
      expect(await action.handler(runtime, nothing)).toMatchObject(said)
      expect(await action.handler(broken, nothing)).toMatchObject({ success: false })
      expect(await action.validate(broken, nothing)).toBe(false)
    }
  })

  it('loads only the finished job of whoever asks, and shows owners their own world', async () => {
    const { runtime, message, worldId, userId, roomId } = await boot()
    await becomePublic(runtime, roomId)
    const world = await runtime.getWorld(worldId)
    if (!world) throw new Error('there is no world')
    await runtime.updateWorld({ ...world, metadata: { ownership: { ownerId: userId } } })
    const job = (id: string, entityId: string, room: string, more: object = {}): JobSnapshot => {
      const asker = { agentId: runtime.agentId, entityId, roomId: room }
      const snapshot = { id, name: '@acme/plugin-one', status: 'completed', createdAt: 1, metadata: { asker }, ...more }
      return snapshot as unknown as JobSnapshot
    }
    const other = runtime.agentId
    const load = (text: string, jobs: JobSnapshot[], parameters: Record<string, unknown> = {}) => {
      const service = { getAllJobs: async () => jobs } as unknown as PluginCreationService
      return jobToLoad({ runtime, message: message(text), service, text, parameter: (name) => parameters[name] })
    }
    const mine = job('job-1', userId, roomId)
    const theirs = job('job-2', other, roomId, { createdAt: 9, name: '@acme/plugin-theirs' })
    const running = job('job-4', userId, roomId, { status: 'running' })
    expect((await load('load it', [theirs, mine, running])).id).toBe('job-1')
    expect((await load('load job-2', [theirs, mine])).id).toBe('job-2')
    expect(whoseText(theirs, message(''))).toBe(`asked for by user ${other}`)
    await expect(load('load plugin-theirs', [theirs])).rejects.toMatchObject({ code: 'AUTON8N_JOB_NOT_FOUND' })
    await expect(load('load it', [mine], { name: 'plugin-another' })).rejects.toThrow('no such creation')
    const second = job('job-3', userId, roomId)
    await expect(load('load it', [mine, second])).rejects.toMatchObject({
      code: 'AUTON8N_LOAD_REFUSED',
      message: expect.stringContaining('job-3'),
    })
    const elsewhere = job('job-5', other, '00000000-0000-4000-8000-000000000000')
    await expect(load('load job-5', [elsewhere])).rejects.toMatchObject({ code: 'AUTON8N_JOB_NOT_FOUND' })
    const { metadata: _, ...unasked } = job('job-6', userId, roomId)
    const seen = await reachable([mine, theirs, elsewhere, unasked as JobSnapshot], runtime, message(''))
    expect(seen.map(({ id }) => id)).toEqual(['job-2', 'job-1'])
  })

  it('loads the files that were checked and no others', async () => {
    const { runtime, dataDir } = await boot()
    const directory = join(dataDir, 'made')
    await mkdir(join(directory, 'dist'), { recursive: true })
    const entry = `export default { name: 'made-here', description: 'x' }\n`
    const texts = { 'package.json': '{"type":"module","main":"dist/index.js"}', 'dist/index.js': entry }
    const files: { path: string; sha256: string; bytes: number }[] = []
    for (const [path, text] of Object.entries(texts)) {
      await writeFile(join(directory, path), text)
      files.push({ path, sha256: createHash('sha256').update(text).digest('hex'), bytes: text.length })
    }
    const job = { id: 'job', status: 'completed', result: { directory, report: { verdict: 'passed', files } } }
    const loader = new PluginLoader(runtime)
    const load = (): Promise<unknown> => loader.load(job as unknown as JobSnapshot)
    for (const [path, text] of Object.entries(texts)) {
      await writeFile(join(directory, path), `${text} `)
      const refusal = { code: 'AUTON8N_LOAD_REFUSED', message: expect.stringContaining(path) }
      await expect(load()).rejects.toMatchObject(refusal)
      await writeFile(join(directory, path), text)
    }
    expect(await load()).toMatchObject({ name: 'made-here' })
    await loader.unload('made-here')
    await rm(join(directory, 'dist', 'index.js'))
    await expect(load()).rejects.toMatchObject({ code: 'AUTON8N_LOAD_REFUSED' })
  })
})

function fail(): never {
  throw new Error('broken')
}

/** The actions that do not answer as core needs it: with success, text and their name, said and returned alike. */
async function badAnswers(runtime: Agent['runtime'], message: Memory): Promise<unknown[]> {
  const bad: unknown[] = []
  for (const action of plugin.actions ?? []) {
    const said: unknown[] = []
    const result = await action.handler(runtime, message, undefined, undefined, async ({ text }) => {
      said.push(text)
      return []
    })
    const good =
      typeof result?.success === 'boolean' &&
      /\S/.test(result.text ?? '') &&
      result.data?.actionName === action.name &&
      said.length === 1 &&
      said[0] === result.text
    if (!good) bad.push({ name: action.name, said, result })
  }
  return bad
}

it('leaves no rejection unhandled', () => {
  expect(rejections).toEqual([])
})
