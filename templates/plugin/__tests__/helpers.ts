import type { Action, ActionResult, Content, HandlerOptions, IAgentRuntime, Memory, State } from '@elizaos/core'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Exchange {
  method: string
  url: URL
  headers: IncomingHttpHeaders
  body: string
}

export interface Reply {
  status?: number
  text: string
  /** Never answer. */
  hang?: boolean
}

const realFetch = globalThis.fetch
const realTimeout = AbortSignal.timeout
let server: Server | undefined

/** Starts a local web service that stands in for the real one: each `fetch` of the plugin goes to it. */
export async function serve(reply: Reply): Promise<Exchange[]> {
  const exchanges: Exchange[] = []
  const started = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      exchanges.push({
        method: request.method ?? '',
        url: new URL(request.url ?? '/', 'http://local'),
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      })
      if (reply.hang) return
      response.writeHead(reply.status ?? 200, { 'content-type': 'application/json' })
      response.end(reply.text)
    })
  })
  server = started
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve))
  const { port } = started.address() as AddressInfo
  globalThis.fetch = (async (input: string | URL | Request, init?: RequestInit) => {
    const url = new URL(input instanceof Request ? input.url : input)
    return await realFetch(`http://127.0.0.1:${port}${url.pathname}${url.search}`, init)
  }) as typeof fetch
  return exchanges
}

/** Makes every time-out of the plugin 50 ms, so that a test of it is quick. */
export function hurry(): void {
  AbortSignal.timeout = () => realTimeout(50)
}

/** Puts everything back; call it after each test. */
export async function restore(): Promise<void> {
  globalThis.fetch = realFetch
  AbortSignal.timeout = realTimeout
  const running = server
  server = undefined
  if (running === undefined) return
  running.closeAllConnections()
  await new Promise<void>((resolve) => running.close(() => resolve()))
}

/** What these tests need of an agent: its settings and a model that gives the answers it is told. */
export function agent(options: { settings?: Record<string, string>; model?: string | Error } = {}): {
  runtime: IAgentRuntime
  prompts: string[]
} {
  const prompts: string[] = []
  const runtime = {
    agentId: '00000000-0000-0000-0000-000000000001',
    getSetting: (name: string) => options.settings?.[name] ?? null,
    useModel: async (_type: string, request: { prompt: string }) => {
      prompts.push(request.prompt)
      if (options.model instanceof Error) throw options.model
      return options.model ?? ''
    },
  }
  return { runtime: runtime as unknown as IAgentRuntime, prompts }
}

export function message(text: string): Memory {
  return {
    entityId: '00000000-0000-0000-0000-000000000002',
    roomId: '00000000-0000-0000-0000-000000000003',
    content: { text, source: 'test' },
  }
}

export const noState: State = { values: {}, data: {}, text: '' }

/** Runs an action as an agent does, and collects what it said. */
export async function run(
  action: Action,
  runtime: IAgentRuntime,
  call: { parameters?: Record<string, unknown>; actionParams?: Record<string, unknown>; text?: string },
): Promise<{ result: ActionResult; said: Content[] }> {
  const said: Content[] = []
  const options: HandlerOptions = call.parameters === undefined ? {} : { parameters: call.parameters }
  const state: State = call.actionParams === undefined ? noState : { ...noState, data: { actionParams: call.actionParams } }
  const result = await action.handler(runtime, message(call.text ?? ''), state, options, async (content) => {
    said.push(content)
    return []
  })
  return { result: result ?? { success: false }, said }
}
