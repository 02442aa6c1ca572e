import type { IAgentRuntime, Memory } from '@elizaos/core'

/** Whether whoever speaks owns or administers the world that the room lies in. A doubt counts as no. */
export async function isOwnerOrAdmin(runtime: IAgentRuntime, message: Memory): Promise<boolean> {
  try {
    const room = message.worldId ? null : await runtime.getRoom(message.roomId)
    const worldId = message.worldId ?? room?.worldId
    if (!worldId) return false
    const metadata = (await runtime.getWorld(worldId))?.metadata
    if (metadata?.ownership?.ownerId === message.entityId) return true
    const role: unknown = metadata?.roles?.[message.entityId]
    return role === 'OWNER' || role === 'ADMIN'
  } catch {
    return false
  }
}
