import type { IAgentRuntime, Memory } from '@elizaos/core'

/** Whoever writes to an agent alone owns the world of that talk, so owning it says nothing about the agent. */
const PRIVATE = new Set<string>(['DM', 'VOICE_DM', 'SELF'])

/** The world that the room lies in, where whoever speaks owns or administers it. A doubt counts as no. */
export async function worldOwned(runtime: IAgentRuntime, message: Memory): Promise<string | undefined> {
  try {
    const room = await runtime.getRoom(message.roomId)
    if (!room?.worldId || PRIVATE.has(room.type)) return undefined
    const metadata = (await runtime.getWorld(room.worldId))?.metadata
    const role: unknown = metadata?.roles?.[message.entityId]
    const owns = metadata?.ownership?.ownerId === message.entityId || role === 'OWNER' || role === 'ADMIN'
    return owns ? room.worldId : undefined
  } catch {
    return undefined
  }
}

/** Whether whoever speaks owns or administers the world that the room lies in; never in a private talk. */
export async function isOwnerOrAdmin(runtime: IAgentRuntime, message: Memory): Promise<boolean> {
  return (await worldOwned(runtime, message)) !== undefined
}
