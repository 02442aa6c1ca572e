import { createHash } from 'node:crypto'
import type { Content, Memory } from '@elizaos/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import plugin, { formatReply, type PluginCreationService } from '../../plugin/index.js'
import { becomePublic, bootAgent, type Agent } from '../support/agent.js'
import { greetingFiles, greetingSpecification } from '../support/greetingPlugin.js'
import { sandboxIsHere } from '../support/needs.js'
import { startModelServer, type ModelServer, type RecordedRequest, type Script } from '../support/modelServer.js'

/** Words that only the engine's own prompts hold. */
const SPECIFY = 'Turn what the user wants into the specification'
const GENERATE = 'END OF REPLY'
/** A key in the form of a real one, made up here. */
const random = ['sha512', 'sha1'].map((name) => createHash(name).update('no key').digest('base64url')).join('')
const secret = ['sk', 'ant', 'api03', `${random.slice(0, 93)}AA`].join('-')

const sandbox = await sandboxIsHere()

let server: ModelServer
let agent: Agent

beforeAll(async () => {
  server = await startModelServer()
})
afterAll(() => server.close())

beforeEach(async () => {
  agent = await bootAgent({ plugins: [plugin], modelUrl: server.url })
  await agent.runtime.getServiceLoadPromise('plugin_creation')
})
afterEach(() => agent.stop())

function service(): PluginCreationService {
  const found = agent.runtime.getService<PluginCreationService>('plugin_creation')
  if (!found) throw new Error('there is no service')
  return found
}

/** The agent chooses the action; the engine's questions are answered as a good model would. */
function choosing(action: string): void {
  server.script(({ prompt }: RecordedRequest): Script => {
    if (prompt.includes(SPECIFY)) return { kind: 'text', text: JSON.stringify(greetingSpecification) }
    if (prompt.includes(GENERATE)) return { kind: 'text', text: formatReply(greetingFiles) }
    return {
      kind: 'text',
      text:
        `<response><thought>It is asked for.</thought><actions>${action}</actions><providers></providers>` +
        '<text></text></response>',
    }
  })
}

function engineRequests(): RecordedRequest[] {
  return server.requests.filter(({ prompt }) => prompt.includes(SPECIFY) || prompt.includes(GENERATE))
}

function texts(contents: Content[]): string {
  return contents.map(({ text }) => text ?? '').join('\n')
}

async function history(): Promise<Memory[]> {
  return await agent.runtime.getMemories({ roomId: agent.roomId, tableName: 'messages', count: 100 })
}

async function announcements(id: string): Promise<string[]> {
  const memories = await history()
  const said = memories.map(({ content }) => content.text ?? '').filter((text) => text.includes(id))
  return said.filter((text) => / is ready: .* checks passed/.test(text))
}

describe('create a plugin that …', () => {
  it.skipIf(!sandbox)('answers at once, makes the plugin with the agent\'s model, and says once that it is ready', async () => {
    choosing('CREATE_PLUGIN_FROM_DESCRIPTION')
    const said = texts(await agent.say('Please create a plugin that greets a person by name'))
    expect(said).toContain('I started creating')
    const [job] = await service().getAllJobs()
    if (!job) throw new Error(`no job was made: ${said}`)
    expect(said).toContain(job.id)

    const end = await (await service().creation(job.id)).finished({ signal: AbortSignal.timeout(110_000) })
    expect(end).toMatchObject({ status: 'completed', name: '@acme/plugin-greeting', userId: agent.userId })
    expect(end.report?.verdict).toBe('passed')
    expect(engineRequests()).toHaveLength(2)

    await expect.poll(() => announcements(job.id)).toHaveLength(1)
    choosing('CHECK_PLUGIN_CREATION_STATUS')
    expect(texts(await agent.say('How is my plugin coming along?'))).toContain('@acme/plugin-greeting')
    choosing('LIST_CREATED_PLUGINS')
    expect(texts(await agent.say('Which plugins did you create?'))).toContain('There are 1')
    // Neither the code nor the prompts have come into the conversation.
    expect((await history()).map(({ content }) => JSON.stringify(content)).join('\n')).not.toContain('handler: async')
  })

  it('takes a specification in the message', async () => {
    choosing('CREATE_PLUGIN')
    const json = JSON.stringify(greetingSpecification)
    const said = texts(await agent.say(`Create this plugin:\n\`\`\`json\n${json}\n\`\`\``))
    expect(said).toContain('I started creating @acme/plugin-greeting')
    const [job] = await service().getAllJobs()
    if (!job) throw new Error(`no job was made: ${said}`)

    choosing('CANCEL_PLUGIN_CREATION')
    expect(texts(await agent.say('Stop it'))).toMatch(/cancelled the creation|Nothing to cancel/)
    const end = await (await service().creation(job.id)).finished({ signal: AbortSignal.timeout(110_000) })
    expect(['cancelled', 'completed']).toContain(end.status)
  })

  it('refuses a secret before the engine asks a model, and does not repeat it', async () => {
    choosing('CREATE_PLUGIN_FROM_DESCRIPTION')
    const said = texts(await agent.say(`Create a plugin that asks Claude with the key ${secret} for a poem`))
    expect(said).toContain('There is a secret')
    expect(said).not.toContain(secret)
    expect(engineRequests()).toEqual([])
    expect(await service().getAllJobs()).toEqual([])
  })

  it('shows the jobs of a user to nobody else', async () => {
    choosing('CREATE_PLUGIN_FROM_DESCRIPTION')
    await agent.say('Please create a plugin that greets a person by name')
    const { agentId } = agent.runtime
    const stranger = { ...agent.message('How is the plugin?'), entityId: agentId, roomId: agentId }
    for (const name of ['CHECK_PLUGIN_CREATION_STATUS', 'CANCEL_PLUGIN_CREATION']) {
      const action = agent.runtime.actions.find((candidate) => candidate.name === name)
      const result = await action?.handler(agent.runtime, stranger)
      expect(result).toMatchObject({ success: false, error: 'AUTON8N_JOB_NOT_FOUND' })
    }
    for (const { id } of await service().getAllJobs()) await service().cancelJob(id)
  })

  it('limits how much a user may ask for', async () => {
    const made: string[] = []
    const asker = { agentId: agent.runtime.agentId, roomId: agent.roomId, entityId: agent.userId }
    for (let count = 0; count < 10; count += 1) {
      const id = await service().createPlugin(greetingSpecification, undefined, { asker, generator: 'template' })
      await service().cancelJob(id)
      made.push(id)
    }
    expect(new Set(made).size).toBe(10)
    const error: unknown = await service()
      .createPlugin(greetingSpecification, undefined, { asker, generator: 'template' })
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'AUTON8N_RATE_LIMITED', details: { retryAfterMs: expect.any(Number) } })
  })
})

describe.skipIf(!sandbox)('a created plugin in the live agent', () => {
  it('is loaded by an owner where it is allowed, works at once, and can be taken out', async () => {
    await agent.stop()
    agent = await bootAgent({ plugins: [plugin], modelUrl: server.url, settings: { AUTON8N_ALLOW_LOAD: 'true' } })
    await agent.runtime.getServiceLoadPromise('plugin_creation')
    const { runtime, userId, worldId } = agent
    const world = await runtime.getWorld(worldId)
    if (!world) throw new Error('there is no world')
    await runtime.updateWorld({ ...world, metadata: { ownership: { ownerId: userId } } })
    await becomePublic(runtime, agent.roomId)

    const asker = { agentId: runtime.agentId, roomId: agent.roomId, entityId: userId, worldId }
    choosing('NONE')
    const id = await service().createPlugin(greetingSpecification, undefined, { asker })
    await (await service().creation(id)).result({ signal: AbortSignal.timeout(110_000) })

    choosing('LOAD_CREATED_PLUGIN')
    expect(texts(await agent.say('Load the plugin that you made'))).toContain('GREET_PERSON')
    const greet = runtime.actions.find(({ name }) => name === 'GREET_PERSON')
    const result = await greet?.handler(runtime, agent.message(''), undefined, { parameters: { name: 'Ann' } })
    expect(result).toMatchObject({ success: true })
    choosing('LOAD_CREATED_PLUGIN')
    expect(texts(await agent.say('Load the plugin that you made'))).toContain('is loaded already')

    choosing('REMOVE_LOADED_PLUGIN')
    expect(texts(await agent.say('Take the plugin out again'))).toContain('I took @acme/plugin-greeting out')
    expect(runtime.actions.map(({ name }) => name)).not.toContain('GREET_PERSON')
    expect(runtime.plugins.map(({ name }) => name)).not.toContain('@acme/plugin-greeting')
  })
})
