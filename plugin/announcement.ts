import { relative } from 'node:path'
import type { Content, IAgentRuntime, Memory, UUID } from '@elizaos/core'
import type { JobSnapshot } from './api/creation.js'

/** Who asked for a creation and where; kept in the job's metadata, so that it outlives the process. */
export interface Asker {
  agentId: string
  roomId: string
  entityId: string
  worldId?: string
  source?: string
}

/** Who asks in a message. */
export function askerOf(runtime: IAgentRuntime, message: Memory): Asker {
  const { roomId, entityId, worldId } = message
  const source = message.content?.source
  return { agentId: runtime.agentId, roomId, entityId, ...(worldId ? { worldId } : {}), ...(source ? { source } : {}) }
}

/** Who asked for a job; nothing where it did not come from a chat. */
export function askerOfJob(job: JobSnapshot): Asker | undefined {
  const asker = job.metadata?.asker
  if (typeof asker !== 'object' || asker === null) return undefined
  const { agentId, roomId, entityId } = asker as Record<string, unknown>
  const whole = typeof agentId === 'string' && typeof roomId === 'string' && typeof entityId === 'string'
  return whole ? (asker as Asker) : undefined
}

/** How a job ended, in words. */
export function endText(job: JobSnapshot): string {
  if (job.status === 'completed' && job.result) {
    const { name, version, directory, tarball, report } = job.result
    const passed = report.checks.filter((check) => check.status === 'passed').length
    return (
      `${name} ${version} is ready: ${passed} of ${report.checks.length} checks passed (isolation: ` +
      `${report.isolation}).\nIt lies in ${place(directory)}; install it with \`npm install ${place(tarball)}\`.` +
      `\nJob ${job.id}.`
    )
  }
  if (job.status === 'cancelled') return `The creation of ${job.name} was cancelled. Job ${job.id}.`
  const failed = job.report?.checks.filter((check) => check.status === 'failed').map((check) => check.name) ?? []
  const checks = failed.length > 0 ? ` What failed: ${failed.join(', ')}.` : ''
  const why = job.error ? ` ${job.error.message} (${job.error.code})` : ''
  return `The creation of ${job.name} failed.${why}${checks} Job ${job.id}.`
}

/** A path as short as it can be. */
export function place(path: string): string {
  const short = relative(process.cwd(), path)
  return short === '' ? '.' : short.startsWith('..') ? path : short
}

interface BusService {
  sendAgentResponseToBus(roomId: UUID, worldId: UUID | undefined, content: Content): Promise<unknown>
}

/**
 * Tells the asker, after the conversation went on: by the adapter the message came from, else by the web server's
 * bus, else as a message in the history. Never throws.
 */
export async function announce(runtime: IAgentRuntime, asker: Asker, text: string): Promise<void> {
  const roomId = asker.roomId as UUID
  const source = asker.source ?? 'auton8n'
  const content: Content = { text, source }
  const ways = [
    async () => {
      if (!hasSendHandler(runtime, source)) return false
      await runtime.sendMessageToTarget({ source, roomId, entityId: asker.entityId as UUID }, content)
      return true
    },
    async () => {
      const bus = runtime.getService('message-bus-service') as unknown as Partial<BusService> | null
      if (typeof bus?.sendAgentResponseToBus !== 'function') return false
      await bus.sendAgentResponseToBus(roomId, asker.worldId as UUID | undefined, content)
      return true
    },
    async () => {
      const worldId = asker.worldId ? { worldId: asker.worldId as UUID } : {}
      const { agentId } = runtime
      await runtime.createMemory({ entityId: agentId, agentId, roomId, ...worldId, content }, 'messages')
      return true
    },
  ]
  for (const way of ways) {
    try {
      if (await way()) return
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      runtime.logger.warn({ src: 'plugin:auton8n', agentId: runtime.agentId, reason }, 'Could not announce this way')
    }
  }
}

/** Asking for a handler that is not there is logged by core as an error, so one looks first where one can. */
function hasSendHandler(runtime: IAgentRuntime, source: string): boolean {
  const handlers = (runtime as { sendHandlers?: unknown }).sendHandlers
  return handlers instanceof Map ? handlers.has(source) : true
}
