import { pathToFileURL } from 'node:url'
import type { Memory, Plugin } from '@elizaos/core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import plugin, { auton8nPlugin, PluginCreationService } from '../../plugin/index.js'
import manifest from '../../package.json' with { type: 'json' }
import { bootAgent, type Agent } from '../support/agent.js'
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

  it('lets only an owner or admin load created plugins', async () => {
    const { runtime, message, worldId, userId } = await boot({ AUTON8N_ALLOW_LOAD: 'true' })
    const load = runtime.actions.find(({ name }) => name === 'LOAD_CREATED_PLUGIN')
    expect(await load?.validate(runtime, message('load it'))).toBe(true)
    expect(await load?.handler(runtime, message('load it'))).toMatchObject({ error: 'AUTON8N_LOAD_REFUSED' })
    const world = await runtime.getWorld(worldId)
    if (!world) throw new Error('there is no world')
    await runtime.updateWorld({ ...world, metadata: { ownership: { ownerId: userId } } })
    const result = await load?.handler(runtime, message('load it'))
    expect(result).not.toMatchObject({ error: 'AUTON8N_LOAD_REFUSED' })
  })
})

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
