// The judge's end of the socket pair. What comes from the subject is data: messages that are no JSON object, answers to
// questions that were not asked and everything beyond the bounds change nothing but a counter.
import { field, isRecord, show } from './assertions.mjs'
import { readLines } from './lines.mjs'

/**
 * @typedef {{ kind: 'value', value: unknown } | { kind: 'error', error: string } | { kind: 'late' }} Reply
 * @typedef {{ settle: (reply: Reply) => void }} Pending
 */

const LIMITS = { line: 512 * 1024, total: 16 * 1024 * 1024 }
const MAX_STRAYS = 500
const MAX_MODEL_CALLS = 500

/** The subject will answer nothing any more. Its message is for the report. */
export class SubjectLost extends Error {
  /** @param {string} message @param {boolean} ready the subject had been up */
  constructor(message, ready) {
    super(message)
    this.ready = ready
  }
}

export class Channel {
  #socket
  #random
  /** @type {Map<string, Pending>} */
  #pending = new Map()
  #strays = 0
  #modelCalls = 0
  #isReady = false
  /** @type {string|undefined} */
  #lost
  /** @type {() => void} */
  #onReady = () => {}
  /** @type {() => void} */
  #onEnd = () => {}
  /** Errors of the plugin that nobody caught. @type {string[]} */
  unhandled = []
  /** What the scripted model said since it was last cleared. @type {string[]} */
  spoken = []
  /** Requests answered. */
  answered = 0
  /** What the model is made to say; drawn for each call. @type {() => string} */
  say

  /** @param {import('node:net').Socket} socket @param {import('./draw.mjs').Random} random */
  constructor(socket, random) {
    this.#socket = socket
    this.#random = random
    this.say = () => `${random.word(7)} ${random.word(9)}`
    this.ready = /** @type {Promise<void>} */ (new Promise((resolve) => { this.#onReady = resolve }))
    this.ended = /** @type {Promise<void>} */ (new Promise((resolve) => { this.#onEnd = resolve }))
    readLines(socket, LIMITS, (line) => this.#take(line), (why) => this.#flooded(why))
    socket.on('error', () => this.#end())
    socket.on('end', () => this.#end())
    socket.on('close', () => this.#end())
  }

  get isReady() {
    return this.#isReady
  }

  get isOver() {
    return this.#lost !== undefined
  }

  /**
   * Asks the subject. Rejects with `SubjectLost` where it is gone or blocked; an answer that is only late is a reply.
   * @param {string} op @param {Record<string, unknown>} [body] @param {number} [ms]
   * @returns {Promise<Reply>}
   */
  async ask(op, body = {}, ms = 5000) {
    const reply = await this.#send(op, body, ms)
    if (reply.kind !== 'late') return reply
    if ((await this.#send('ping', {}, 1500)).kind === 'late') {
      const why = `no answer within ${ms} ms: the plugin's code blocks the process (an endless loop?)`
      throw new SubjectLost(why, this.#isReady)
    }
    return reply
  }

  /** Tells the subject something that has no answer. @param {Record<string, unknown>} message */
  tell(message) {
    if (this.#lost === undefined) this.#socket.write(`${JSON.stringify(message)}\n`)
  }

  close() {
    this.#socket.destroy()
  }

  /** @param {string} op @param {Record<string, unknown>} body @param {number} ms @returns {Promise<Reply>} */
  #send(op, body, ms) {
    if (this.#lost !== undefined) return Promise.reject(new SubjectLost(this.#lost, this.#isReady))
    const id = this.#random.hex()
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => finish({ kind: 'late' }), ms)
      /** @param {Reply} reply */
      const finish = (reply) => {
        clearTimeout(timer)
        this.#pending.delete(id)
        if (this.#lost !== undefined && reply.kind === 'late') reject(new SubjectLost(this.#lost, this.#isReady))
        else resolve(reply)
      }
      this.#pending.set(id, { settle: finish })
      this.#socket.write(`${JSON.stringify({ ...body, id, op })}\n`)
    })
  }

  /** @param {string} line */
  #take(line) {
    /** @type {unknown} */
    let message
    try {
      message = JSON.parse(line)
    } catch {
      return this.#stray()
    }
    const id = field(message, 'id')
    const pending = typeof id === 'string' ? this.#pending.get(id) : undefined
    if (pending) {
      this.answered += 1
      const ok = field(message, 'ok') === true
      pending.settle(ok
        ? { kind: 'value', value: field(message, 'value') }
        : { kind: 'error', error: show(field(message, 'error'), 400) })
      return
    }
    const event = field(message, 'event')
    if (event === 'ready') {
      this.#isReady = true
      this.#onReady()
    } else if (event === 'unhandled') {
      if (this.unhandled.length < 20) this.unhandled.push(show(field(message, 'error'), 400))
      else this.#stray()
    } else if (event === 'model' && isRecord(message)) {
      this.#answerModel(message)
    } else {
      this.#stray()
    }
  }

  /** @param {Record<string, unknown>} message */
  #answerModel(message) {
    const call = field(message, 'call')
    this.#modelCalls += 1
    if (typeof call !== 'number' || this.#modelCalls > MAX_MODEL_CALLS) return this.#stray()
    const text = this.say()
    this.spoken.push(text)
    this.tell({ op: 'text', call, text })
  }

  #stray() {
    this.#strays += 1
    if (this.#strays > MAX_STRAYS) this.#flooded(`more than ${MAX_STRAYS} messages that nobody asked for`)
  }

  /** @param {string} why */
  #flooded(why) {
    this.#lose(`the plugin flooded the harness's channel: ${why}`)
    this.#socket.destroy()
  }

  #end() {
    this.#lose('the process ended by itself (process.exit, a crash, or too much memory in the plugin)')
  }

  /** @param {string} why */
  #lose(why) {
    this.#lost ??= why
    for (const { settle } of this.#pending.values()) settle({ kind: 'late' })
    this.#onEnd()
  }
}
