import type { RouteRequest, RouteResponse } from '@elizaos/core'
import type { PluginCreation } from '../api/pluginCreation.js'
import { Auton8nError } from '../errors.js'

/** What Express gives beside core's type. */
interface Stream {
  write?(chunk: string): boolean
  flushHeaders?(): void
  on?(event: 'close' | 'drain', listener: () => void): void
  off?(event: 'close' | 'drain', listener: () => void): void
}

const KEEP_ALIVE = 15_000
const DRAIN_WAIT = 30_000

/** Writes the events of a creation as server-sent events until it ends or the other side goes. */
export async function streamEvents(
  creation: PluginCreation,
  request: RouteRequest,
  response: RouteResponse,
): Promise<void> {
  const stream = response as RouteResponse & Stream
  if (!stream.write || !stream.setHeader) {
    throw new Auton8nError('AUTON8N_CLOSED', 'This server cannot stream events; ask for GET /jobs/:id instead.')
  }
  await creation.status()
  const gone = new AbortController()
  const leave = (): void => gone.abort()
  stream.on?.('close', leave)
  ;(request as RouteRequest & Stream).on?.('close', leave)
  stream.status(200)
  stream.setHeader('Content-Type', 'text/event-stream')
  stream.setHeader('Cache-Control', 'no-store')
  stream.setHeader('X-Accel-Buffering', 'no')
  stream.flushHeaders?.()
  const beat = setInterval(() => stream.write?.(': still here\n\n'), KEEP_ALIVE)
  try {
    for await (const event of creation.events({ signal: gone.signal })) {
      const room = stream.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
      if (!room) await drained(stream, gone.signal)
    }
  } catch (error) {
    if (!gone.signal.aborted) throw error
  } finally {
    clearInterval(beat)
    stream.off?.('close', leave)
    if (!gone.signal.aborted) stream.end()
  }
}

/** Waits for a slow reader, but not for ever. */
async function drained(stream: Stream, gone: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, DRAIN_WAIT)
    const go = (): void => {
      clearTimeout(timer)
      stream.off?.('drain', go)
      gone.removeEventListener('abort', go)
      resolve()
    }
    stream.on?.('drain', go)
    gone.addEventListener('abort', go)
  })
}
