import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the server answers to one request. */
export type Script =
  | { kind: 'text'; text: string; finish?: 'stop' | 'length' | 'refusal' }
  | { kind: 'status'; status: number; message?: string; headers?: Record<string, string> }
  | { kind: 'garbage'; body?: string }
  | { kind: 'delay'; milliseconds: number; next: Script }
  /** The connection is cut, after so many characters of the answer where given. */
  | { kind: 'drop'; after?: number }

/** Which protocol a request spoke. */
export type Protocol = 'anthropic' | 'openai-chat' | 'openai-responses' | 'openai-embeddings' | 'unknown'

/** A request as the server saw it. */
export interface RecordedRequest {
  protocol: Protocol
  path: string
  headers: IncomingMessage['headers']
  body: Record<string, unknown>
  /** The system prompt and all messages, as one text. */
  prompt: string
}

/** Chooses the answer to a request; a list is answered in its order, and its last entry again. */
export type Answers = Script[] | ((request: RecordedRequest, index: number) => Script)

/** A server that speaks the protocols of Anthropic and OpenAI by a script, and records what it was asked. */
export interface ModelServer {
  /** Without `/v1`. */
  readonly url: string
  readonly requests: RecordedRequest[]
  /** Sets the answers from now on and forgets the requests. */
  script(answers: Answers): void
  close(): Promise<void>
}

const EMBEDDING = 1536

/** Starts a scripted model server on a free port of this machine. */
export async function startModelServer(answers: Answers = []): Promise<ModelServer> {
  let current = answers
  const requests: RecordedRequest[] = []
  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy())
  })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const recorded = await record(request)
    if (recorded.protocol === 'openai-embeddings') {
      // Memories are embedded in the background; that is no part of any script.
      json(response, 200, {
        object: 'list',
        data: [{ object: 'embedding', index: 0, embedding: Array.from({ length: EMBEDDING }, () => 0.01) }],
        model: 'scripted',
        usage: { prompt_tokens: 1, total_tokens: 1 },
      })
      return
    }
    const index = requests.push(recorded) - 1
    const script = typeof current === 'function' ? current(recorded, index) : (current[index] ?? current.at(-1))
    await answer(response, recorded, script ?? { kind: 'status', status: 500, message: 'no script is left' })
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    script(next) {
      current = next
      requests.length = 0
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function record(request: IncomingMessage): Promise<RecordedRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  let body: Record<string, unknown> = {}
  try {
    body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>
  } catch {
    // A request without JSON is recorded as it is: empty.
  }
  const path = request.url ?? '/'
  return { protocol: protocolOf(path), path, headers: request.headers, body, prompt: promptOf(body) }
}

function protocolOf(path: string): Protocol {
  if (path.endsWith('/messages')) return 'anthropic'
  if (path.endsWith('/chat/completions')) return 'openai-chat'
  if (path.endsWith('/responses')) return 'openai-responses'
  if (path.endsWith('/embeddings')) return 'openai-embeddings'
  return 'unknown'
}

function promptOf({ system, messages, input, instructions }: Record<string, unknown>): string {
  return [system, instructions, messages, input].flatMap(textsOf).join('\n')
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap(textsOf)
  if (typeof value !== 'object' || value === null) return []
  const { text, content } = value as { text?: unknown; content?: unknown }
  return [...textsOf(text), ...textsOf(content)]
}

async function answer(response: ServerResponse, request: RecordedRequest, script: Script): Promise<void> {
  switch (script.kind) {
    case 'delay':
      await new Promise((resolve) => setTimeout(resolve, script.milliseconds))
      return await answer(response, request, script.next)
    case 'drop':
      if (script.after !== undefined) {
        response.writeHead(200, { 'content-type': 'application/json' })
        response.write('{"id":"cut","type":"message","content":['.slice(0, script.after))
        await new Promise((resolve) => setImmediate(resolve))
      }
      response.destroy()
      return
    case 'garbage':
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(script.body ?? '<html>not what you asked for</html>')
      return
    case 'status':
      json(response, script.status, errorBody(request, script), script.headers)
      return
    case 'text':
      reply(response, request, script)
  }
}

const ERROR_TYPES: Record<number, string> = {
  401: 'authentication_error',
  403: 'permission_error',
  429: 'rate_limit_error',
  529: 'overloaded_error',
}

function errorBody(request: RecordedRequest, { status, message = `scripted ${status}` }: Script & { kind: 'status' }) {
  const type = ERROR_TYPES[status] ?? 'api_error'
  return request.protocol === 'anthropic'
    ? { type: 'error', error: { type, message } }
    : { error: { message, type, code: null, param: null } }
}

type TextScript = Script & { kind: 'text' }

function reply(response: ServerResponse, request: RecordedRequest, script: TextScript): void {
  const usage = { input: Math.ceil(request.prompt.length / 4), output: Math.ceil(script.text.length / 4) }
  if (request.protocol === 'anthropic') return replyAnthropic(response, request, script, usage)
  json(response, 200, request.protocol === 'openai-responses' ? responses(script, usage) : chat(script, usage))
}

interface Tokens {
  input: number
  output: number
}

function replyAnthropic(response: ServerResponse, request: RecordedRequest, script: TextScript, usage: Tokens): void {
  const stop_reason = { stop: 'end_turn', length: 'max_tokens', refusal: 'refusal' }[script.finish ?? 'stop']
  const message = { id: 'msg_scripted', type: 'message', role: 'assistant', model: 'scripted', stop_sequence: null }
  if (request.body.stream !== true) {
    json(response, 200, {
      ...message,
      content: [{ type: 'text', text: script.text }],
      stop_reason,
      usage: { input_tokens: usage.input, output_tokens: usage.output },
    })
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const event = (type: string, rest: object): void => {
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`)
  }
  const first = { input_tokens: usage.input, output_tokens: 1 }
  event('message_start', { message: { ...message, content: [], usage: first } })
  event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } })
  event('ping', {})
  for (let at = 0; at < script.text.length; at += 1000) {
    event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: script.text.slice(at, at + 1000) } })
  }
  event('content_block_stop', { index: 0 })
  event('message_delta', { delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: usage.output } })
  event('message_stop', {})
  response.end()
}

function chat(script: TextScript, usage: Tokens): object {
  const finish_reason = { stop: 'stop', length: 'length', refusal: 'content_filter' }[script.finish ?? 'stop']
  return {
    id: 'chatcmpl-scripted',
    object: 'chat.completion',
    created: 1,
    model: 'scripted',
    choices: [{ index: 0, message: { role: 'assistant', content: script.text }, finish_reason }],
    usage: { prompt_tokens: usage.input, completion_tokens: usage.output, total_tokens: usage.input + usage.output },
  }
}

function responses(script: TextScript, usage: Tokens): object {
  const reason = { stop: null, length: 'max_output_tokens', refusal: 'content_filter' }[script.finish ?? 'stop']
  return {
    id: 'resp_scripted',
    object: 'response',
    created_at: 1,
    status: reason ? 'incomplete' : 'completed',
    error: null,
    incomplete_details: reason ? { reason } : null,
    model: 'scripted',
    output: [
      {
        type: 'message',
        id: 'msg_scripted',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: script.text, annotations: [] }],
      },
    ],
    usage: {
      input_tokens: usage.input,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: usage.output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: usage.input + usage.output,
    },
  }
}

function json(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}
