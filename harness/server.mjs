// The one web server that a plugin under test can reach. The subject sends every request here and names the host that
// was meant.
import { createServer } from 'node:http'

/**
 * @typedef {import('./expectation.mjs').Arrived} Arrived
 * @typedef {{ status: number, type: string, body: string }} Answer
 */

/** The header in which the subject names the origin that the plugin asked for. */
export const ORIGIN_HEADER = 'x-boot-origin'

const MAX_BODY = 1024 * 1024
const MAX_KEPT = 50
const MAX_CONNECTIONS = 32
const MAX_REQUESTS = 5000

/** @param {unknown} value @param {number} [status] @returns {Answer} */
export function jsonAnswer(value, status = 200) {
  return { status, type: 'application/json', body: JSON.stringify(value) }
}

/** Answers that no plugin may take for a success. @returns {[string, Answer][]} */
export function failures() {
  return [
    ['HTTP 500', jsonAnswer({ error: 'internal error' }, 500)],
    ['an answer that is not JSON', { status: 200, type: 'text/html', body: '<!doctype html><p>Not JSON' }],
  ]
}

export class LocalServer {
  #server
  /** @type {Arrived[]} */
  #arrived = []
  /** @type {Answer} */
  #answer = jsonAnswer({ error: 'not found' }, 404)
  /** Requests of the whole run. */
  total = 0
  port = 0

  constructor() {
    this.#server = createServer((request, response) => {
      if (this.total >= MAX_REQUESTS) {
        request.destroy()
        return
      }
      /** @type {Buffer[]} */
      const parts = []
      let size = 0
      request.on('data', (/** @type {Buffer} */ chunk) => {
        size += chunk.length
        if (size > MAX_BODY) request.destroy()
        else parts.push(chunk)
      })
      request.on('error', () => {})
      request.on('end', () => {
        this.total += 1
        const { [ORIGIN_HEADER]: origin, ...headers } = request.headers
        if (this.#arrived.length < MAX_KEPT) {
          this.#arrived.push({
            method: request.method ?? '',
            origin: typeof origin === 'string' ? origin : 'an address that was not rewritten',
            target: request.url ?? '',
            headers,
            body: Buffer.concat(parts).toString('utf8'),
          })
        }
        response.writeHead(this.#answer.status, { 'content-type': this.#answer.type, connection: 'close' })
        response.end(this.#answer.body)
      })
    })
    this.#server.maxConnections = MAX_CONNECTIONS
    this.#server.on('clientError', (_error, socket) => socket.destroy())
  }

  /** @returns {Promise<void>} */
  listen() {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, '127.0.0.1', () => {
        const address = this.#server.address()
        if (address !== null && typeof address === 'object') this.port = address.port
        resolve()
      })
    })
  }

  /** From now on answers so, and forgets what arrived before. @param {Answer} answer */
  serve(answer) {
    this.#answer = answer
    this.#arrived = []
  }

  /** What arrived since `serve`. */
  get arrived() {
    return this.#arrived
  }

  close() {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
