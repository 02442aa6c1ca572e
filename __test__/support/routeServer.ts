import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { IAgentRuntime, RouteRequest, RouteResponse } from '@elizaos/core'

/** The agent's routes behind a real HTTP server, called as the server of ElizaOS calls them: not awaited. */
export interface RouteServer {
  url: string
  close(): Promise<void>
}

type Response = ServerResponse & RouteResponse

/** Serves the routes of an agent on a free port of this machine. */
export async function serveRoutes(runtime: IAgentRuntime): Promise<RouteServer> {
  const server = createServer((request, response) => {
    void dispatch(runtime, request, express(response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function dispatch(runtime: IAgentRuntime, request: IncomingMessage, response: Response): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  for (const route of runtime.routes) {
    const params = match(route.path, url.pathname)
    if (route.type !== request.method || !params || !route.handler) continue
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString('utf8')
    const given = Object.assign(request, {
      params,
      query: Object.fromEntries(url.searchParams),
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
      path: url.pathname,
    })
    void route.handler(given as unknown as RouteRequest, response, runtime)
    return
  }
  response.status(404).json({ error: 'no route' })
}

function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const value = decodeURIComponent(given[index] ?? '')
    if (part.startsWith(':')) params[part.slice(1)] = value
    else if (part !== value) return undefined
  }
  return params
}

/** What Express adds to a response. */
function express(response: ServerResponse): Response {
  const extended = response as Response
  return Object.assign(extended, {
    status: (code: number) => {
      extended.statusCode = code
      return extended
    },
    json: (data: unknown) => {
      extended.setHeader('Content-Type', 'application/json')
      extended.end(JSON.stringify(data))
      return extended
    },
    send: (data: unknown) => {
      extended.end(String(data))
      return extended
    },
  })
}
