import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  AgentRuntime,
  ChannelType,
  stringToUuid,
  type Content,
  type Memory,
  type Plugin,
  type UUID,
} from '@elizaos/core'
import { bootstrapPlugin } from '@elizaos/plugin-bootstrap'
import { openaiPlugin } from '@elizaos/plugin-openai'
import sqlPlugin, { createDatabaseAdapter, DatabaseMigrationService } from '@elizaos/plugin-sql'
import { afterAll } from 'vitest'
import { v4 } from './uuid.js'

/** A real agent: AgentRuntime, PGlite, bootstrap, and a model plugin where a server is given. */
export interface Agent {
  runtime: AgentRuntime
  /** A folder of its own; gone after `stop`. */
  dataDir: string
  roomId: UUID
  worldId: UUID
  userId: UUID
  /** A message of the user, as it is stored. */
  message(text: string): Memory
  /** Sends a message through the whole of the agent; answers what it said. */
  say(text: string): Promise<Content[]>
  stop(): Promise<void>
}

export interface AgentOptions {
  plugins?: Plugin[]
  settings?: Record<string, string>
  /** The address of a scripted model server. */
  modelUrl?: string
}

const SOURCE = 'client_chat'

// plugin-openai sends settings that this protocol does not have; the `ai` package would say so at each call.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false })

let database: Promise<string> | undefined

/** plugin-sql keeps one PGlite a process, so its folder lives as long. */
function databaseDir(): Promise<string> {
  database ??= mkdtemp(join(tmpdir(), 'auton8n-pglite-'))
  return database
}

// Of the file that uses agents, after its own: the first hook that is told of is the last to run.
afterAll(async () => {
  if (database) await rm(await database, { recursive: true, force: true })
})

/** Boots an agent on an empty database; the server does the migrations first, and so does this. */
export async function bootAgent({ plugins = [], settings = {}, modelUrl }: AgentOptions = {}): Promise<Agent> {
  const dataDir = await mkdtemp(join(tmpdir(), 'auton8n-agent-'))
  const agentId = v4()
  const adapter = createDatabaseAdapter({ dataDir: await databaseDir() }, agentId)
  await adapter.init()
  const migrations = new DatabaseMigrationService()
  await migrations.initializeWithDatabase(adapter.getDatabase())
  migrations.discoverAndRegisterPluginSchemas([sqlPlugin])
  await migrations.runAllPluginMigrations()

  const model = modelUrl
    ? { OPENAI_API_KEY: ['sk', 'scripted'].join('-'), OPENAI_BASE_URL: `${modelUrl}/v1` }
    : undefined
  const runtime = new AgentRuntime({
    agentId,
    character: {
      id: agentId,
      name: `Agent ${agentId.slice(0, 8)}`,
      bio: ['Makes plugins.'],
      settings: { AUTON8N_DATA_DIR: dataDir, ...model, ...settings },
    },
    adapter,
    plugins: [sqlPlugin, bootstrapPlugin, ...(model ? [openaiPlugin] : []), ...plugins],
  })
  await runtime.initialize()

  const userId = v4()
  const roomId = v4()
  const worldId = v4()
  await runtime.ensureConnection({
    entityId: userId,
    roomId,
    worldId,
    userName: 'ann',
    name: 'Ann',
    source: SOURCE,
    channelId: roomId,
    messageServerId: stringToUuid('test-server'),
    type: ChannelType.DM,
  })

  const message = (text: string): Memory => ({
    id: v4(),
    entityId: userId,
    agentId,
    roomId,
    worldId,
    content: { text, source: SOURCE, channelType: ChannelType.DM },
    createdAt: Date.now(),
  })
  return {
    runtime,
    dataDir,
    roomId,
    worldId,
    userId,
    message,
    say: async (text) => {
      const said: Content[] = []
      if (!runtime.messageService) throw new Error('the agent has no message service')
      await runtime.messageService.handleMessage(runtime, message(text), async (content) => {
        said.push(content)
        return []
      })
      return said
    },
    stop: async () => {
      await runtime.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** Makes a private talk a room of many, where an owner of the world counts; the agent answers as before. */
export async function becomePublic(runtime: AgentRuntime, roomId: UUID, type = ChannelType.API): Promise<void> {
  const room = await runtime.getRoom(roomId)
  if (!room) throw new Error('there is no room')
  await runtime.updateRoom({ ...room, type })
}
