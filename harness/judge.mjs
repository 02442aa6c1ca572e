// The trusted half: `node judge.mjs` with a request on standard input, the subject on descriptor 3, one JSON report on
// standard output. It runs as another user than the subject, and needs nothing but Node. What a plugin can still
// forge is in README.md.
import { Socket } from 'node:net'
import { isRecord, field } from './assertions.mjs'
import { Channel, SubjectLost } from './channel.mjs'
import { Random, drawSettings } from './draw.mjs'
import { examine } from './examination.mjs'
import { declaredOrigins } from './expectation.mjs'
import { Report } from './report.mjs'
import { LocalServer } from './server.mjs'

const MAX_INPUT = 4 * 1024 * 1024

/** @returns {Promise<unknown>} */
async function readInput() {
  /** @type {Buffer[]} */
  const parts = []
  let size = 0
  for await (const chunk of process.stdin) {
    size += chunk.length
    if (size > MAX_INPUT) throw new Error(`the request is longer than ${MAX_INPUT} bytes`)
    parts.push(chunk)
  }
  return JSON.parse(Buffer.concat(parts).toString('utf8'))
}

/**
 * @param {unknown} input
 * @returns {{ specification: import('./examination.mjs').Specification, seed: string, deadlineMs: number,
 *   requestMs: number }}
 */
function parseInput(input) {
  const specification = field(input, 'specification')
  const seed = field(input, 'seed')
  const deadlineMs = field(input, 'deadlineMs') ?? 30_000
  const requestMs = field(input, 'requestMs') ?? 5000
  if (!isRecord(specification) || typeof specification['name'] !== 'string') throw new Error('specification is missing')
  if ((typeof seed !== 'string' && typeof seed !== 'number') || seed === '') throw new Error('seed is missing')
  if (typeof deadlineMs !== 'number' || !(deadlineMs >= 100)) throw new Error('deadlineMs must be at least 100')
  if (typeof requestMs !== 'number' || !(requestMs >= 50)) throw new Error('requestMs must be at least 50')
  return {
    specification: /** @type {import('./examination.mjs').Specification} */ (/** @type {unknown} */ (specification)),
    seed: String(seed),
    deadlineMs,
    requestMs,
  }
}

/** @param {number} ms @returns {Promise<'deadline'>} */
function deadline(ms) {
  return new Promise((resolve) => { setTimeout(resolve, ms, 'deadline').unref() })
}

/** @param {Report} report @param {LocalServer} server @returns {Promise<number>} requests that the subject answered */
async function judge(report, server) {
  const { specification, seed, deadlineMs, requestMs } = parseInput(await readInput())
  const over = deadline(deadlineMs)
  const random = new Random(seed)
  await server.listen()
  const channel = new Channel(new Socket({ fd: 3 }), random)
  const up = await Promise.race([channel.ready, channel.ended, over])
  if (!channel.isReady) {
    const what = up === 'deadline'
      ? `the subject did not come up within ${deadlineMs} ms`
      : 'the subject ended before the plugin was loaded: the harness or @elizaos/core could not start'
    report.add('harness', 'inconclusive', [what, ...channel.unhandled].join('; '))
    return 0
  }
  const { actions = [], providers = [] } = specification
  const declared = declaredOrigins([...actions, ...providers])
  const settings = drawSettings(random, specification.environmentVariables ?? [])
  try {
    const end = await Promise.race([
      examine({ specification, random, channel, server, report, settings, requestMs, declared }),
      over,
    ])
    if (end === 'deadline') {
      report.add('in time', 'failed', `not over within ${deadlineMs} ms; it stood at: ${report.current}`)
    }
  } catch (error) {
    // A lost subject has been recorded by the check that noticed; anything else is ours.
    if (!(error instanceof SubjectLost)) throw error
    const [first] = channel.unhandled
    if (first !== undefined) report.add('leaves no error unhandled', 'failed', `unhandled: ${first}`)
  }
  return channel.answered
}

const report = new Report()
const server = new LocalServer()
let answered = 0
try {
  answered = await judge(report, server)
} catch (error) {
  report.add('harness', 'inconclusive', `the harness broke: ${error instanceof Error ? error.message : String(error)}`)
}
const { checks, counts, exitCode } = report
const text = JSON.stringify({ checks, counts, requests: { answered, http: server.total } })
process.stdout.write(`${text}\n`, () => process.exit(exitCode))
