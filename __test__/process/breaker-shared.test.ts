import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { CircuitBreaker, CircuitBreakerFactory, JobQueue, SharedBreakers } from '../../plugin/index.js'
import { killChildren, startNode, until, type Child } from '../support/children.js'
import { startPostgres, withoutPostgres, type Database } from '../support/database.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const script = path(root, '__test__/process/breaker-child.mjs')
const why = withoutPostgres()
const invalid = expect.objectContaining({ code: 'AUTON8N_OPTION_INVALID' }) as unknown
const down = (): Promise<never> => Promise.reject(new Error('down'))

afterEach(killChildren)

/** A process that has started, and has not joined the others. */
async function load(store: string): Promise<Child> {
  const child = startNode([script, store])
  await until(() => child.lines.includes('loaded'))
  return child
}

async function join(child: Child): Promise<void> {
  child.tell('join')
  await until(() => child.lines.some((line) => line.startsWith('ready')))
}

async function start(store: string): Promise<Child> {
  const child = await load(store)
  await join(child)
  return child
}

const CHANGES = ['open', 'half-open', 'close', 'open', 'close']

/** What two processes must do together, wherever they meet; answers the changes that the first one saw. */
async function together(store: string): Promise<string[]> {
  const [one, two, late] = [await start(store), await start(store), await load(store)]
  one.tell('fail')
  one.tell('fail')
  await until(() => one.lines.includes('open') && two.lines.includes('open'))
  two.tell('succeed')
  await until(() => two.lines.includes('error AUTON8N_BREAKER_OPEN'))
  await join(late)
  expect(late.lines).toContain('ready open')
  // Each becomes half-open by itself; the trial of one closes it for all.
  await until(() => [one, two, late].every((child) => child.lines.includes('half-open')))
  two.tell('succeed')
  await until(() => [one, two, late].every((child) => child.lines.includes('close')))
  late.tell('isolate')
  await until(() => one.lines.filter((line) => line === 'open').length === 2)
  await late.kill()
  const after = await start(store)
  expect(after.lines).toContain('ready open')
  after.tell('close')
  await until(() => one.lines.filter((line) => line === 'close').length === 2)
  one.tell('succeed')
  await until(() => one.lines.includes('answered'))
  return one.lines.filter((line) => CHANGES.includes(line))
}

describe.skipIf(why !== undefined)(`processes on PostgreSQL${why === undefined ? '' : ` (left out: ${why})`}`, () => {
  let server: Database
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.close())

  it('open and close a breaker together, also those that start later', async () => {
    expect(await together(server.url)).toEqual(CHANGES)
  })

  it('go on by themselves while the server is away, and meet again', async () => {
    const queue = await JobQueue.open('q', { store: server.url })
    const other = await JobQueue.open('q', { store: server.url })
    const errors: unknown[] = []
    const [here, there] = [new CircuitBreaker('away'), new CircuitBreaker('away')]
    const shared = await SharedBreakers.share(queue, here, { interval: 50, onError: (error) => errors.push(error) })
    const far = await SharedBreakers.share(other, there, { interval: 50, onError: () => {} })
    await server.tell('kill')
    here.forceOpen()
    expect(here.getState()).toBe('open')
    await until(() => errors.length > 0)
    await server.tell('start')
    await until(() => there.getState() === 'open')
    shared.stop()
    far.stop()
    await Promise.all([queue.shutdown(), other.shutdown()])
  })
})

describe('processes on a data directory', () => {
  it('open and close a breaker together, through the one that owns it', async () => {
    const folder = mkdtempSync(path(tmpdir(), 'auton8n-shared-'))
    try {
      expect(await together(folder)).toEqual(CHANGES)
    } finally {
      await killChildren()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('shared breakers', () => {
  it('are those of a factory, also later ones, until the sharing is stopped', async () => {
    const queue = await JobQueue.open('q', { store: 'memory' })
    const [here, there] = [new CircuitBreakerFactory({ failureThreshold: 1 }), new CircuitBreakerFactory()]
    const one = await SharedBreakers.share(queue, here)
    const two = await SharedBreakers.share(queue, there)
    await here.getBreaker('a').execute(down).catch(() => {})
    here.getBreaker('b')
    await one.sync()
    await here.getBreaker('b').execute(down).catch(() => {})
    await one.sync()
    there.getBreaker('a')
    there.getBreaker('b')
    await two.sync()
    expect([...there.getAllBreakers().values()].map((breaker) => breaker.getState())).toEqual(['open', 'open'])
    here.getBreaker('c').on('open', () => {})
    here.removeBreaker('a')
    await one.sync()
    one.stop()
    here.getBreaker('b').forceClose()
    await two.sync()
    expect(there.getBreaker('b').getState()).toBe('open')
    two.stop()
    await queue.shutdown()
  })

  it('of two that decide at once the later one counts, and both agree', async () => {
    const queue = await JobQueue.open('q', { store: 'memory' })
    const [here, there] = [new CircuitBreaker('x'), new CircuitBreaker('x')]
    const shares = await Promise.all([here, there].map((breaker) => SharedBreakers.share(queue, breaker, { interval: 10 })))
    for (let round = 0; round < 10; round++) {
      here.forceOpen()
      there.forceOpen()
      if (round % 2) there.forceClose()
      else here.forceClose()
      await expect.poll(() => here.getState() === there.getState()).toBe(true)
    }
    for (const share of shares) share.stop()
    await queue.shutdown()
  })

  it('refuse what cannot be shared', async () => {
    const queue = await JobQueue.open('q', { store: 'memory' })
    const breaker = new CircuitBreaker('x')
    await expect(SharedBreakers.share({} as JobQueue, breaker)).rejects.toEqual(invalid)
    await expect(SharedBreakers.share(queue, [breaker, new CircuitBreaker('x')])).rejects.toEqual(invalid)
    await expect(SharedBreakers.share(queue, [null as unknown as CircuitBreaker])).rejects.toEqual(invalid)
    await expect(SharedBreakers.share(queue, breaker, { interval: 0 })).rejects.toEqual(invalid)
    await expect(SharedBreakers.share(queue, breaker, { onError: 1 as never })).rejects.toEqual(invalid)
    expect(() => breaker.takeOver({} as never, 0)).toThrow(invalid as Error)
    await queue.shutdown()
    await expect(SharedBreakers.share(queue, breaker)).rejects.toMatchObject({ code: 'AUTON8N_CLOSED' })
  })
})
