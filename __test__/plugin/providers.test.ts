import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auton8nPlugin, PluginCreationService, type PluginSpecification } from '../../plugin/index.js'
import { bootAgent, type Agent } from '../support/agent.js'

const specification: PluginSpecification = {
  name: '@acme/plugin-dice',
  description: 'Rolls dice',
  actions: [{ name: 'ROLL_DICE', description: 'Rolls dice' }],
}

let agent: Agent
let service: PluginCreationService

beforeAll(async () => {
  agent = await bootAgent({ plugins: [auton8nPlugin] })
  await agent.runtime.getServiceLoadPromise('plugin_creation')
  const found = agent.runtime.getService<PluginCreationService>(PluginCreationService.serviceType)
  if (!found) throw new Error('the service is not there')
  service = found
})
afterAll(() => agent.stop())

/** What a provider tells the model about a message. It gives up when it would be slow, so it is asked until it is not. */
async function told(name: string, about: string): Promise<{ text: string; values: Record<string, unknown> }> {
  const provider = agent.runtime.providers.find((candidate) => candidate.name === name)
  if (!provider) throw new Error(`${name} is not there`)
  let result = await provider.get(agent.runtime, agent.message(about), { values: {}, data: {}, text: '' })
  await expect
    .poll(async () => {
      result = await provider.get(agent.runtime, agent.message(about), { values: {}, data: {}, text: '' })
      return result.data?.['available']
    })
    .toBe(true)
  return { text: result.text ?? '', values: result.values ?? {} }
}

describe('what the agent knows of plugin creation', () => {
  it('is nothing before anything was asked for', async () => {
    expect((await told('plugin_creation_status', '')).text).toBe('No plugin creation was asked for here.')
    expect((await told('plugin_registry', '')).text).toBe('No plugins were created here yet.')
    expect((await told('plugin_exists_check', 'hello')).values).toEqual({ pluginExists: false })
  })

  it('is what it may do and what is missing', async () => {
    const { text, values } = await told('plugin_creation_capabilities', '')
    expect(text).toContain('At most 10 creations per user and hour. Loading into this agent is off.')
    expect(text).toContain('AUTON8N_MODEL_NEEDED')
    expect(values).toEqual({ pluginCreationStatus: 'degraded' })
  })

  it('is a creation of this user, by its name in the message too', async () => {
    const asker = { agentId: agent.runtime.agentId, entityId: agent.userId, roomId: agent.roomId, worldId: agent.worldId }
    const id = await service.createPlugin(specification, undefined, { asker })
    expect((await told('plugin_creation_status', '')).text).toMatch(/^Plugin creations:\n- .*plugin-dice/)
    const { text, values } = await told('plugin_exists_check', 'Do we have plugin-dice and plugin-cards?')
    expect(text).toMatch(new RegExp(`plugin-dice: not loaded, a creation is \\w+ \\(job ${id}`))
    expect(text).toContain('plugin-cards: not loaded, not created')
    expect(values).toEqual({ pluginExists: true })
    await service.cancelJob(id)
  })
})
