import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, expect, test } from 'vitest'
import type { QueueOptions } from '../../plugin/api/job.js'
import { JobQueue } from '../../plugin/api/queue.js'
import { after, killChildren, seeded, startNode, until } from '../support/children.js'
import { withoutPostgres, withoutRedis } from '../support/database.js'
import { freePort } from '../support/ports.js'
import { copyPostgresDisk, makePostgresDisk, startPostgresOnDisk } from '../support/postgresDisk.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const script = join(root, '__test__/process/queue-child.mjs')
/** `npm run faults:queue` sets it to 200. */
const rounds = Number(process.env['AUTON8N_FAULT_ROUNDS'] ?? 5)
const work = realpathSync(mkdtempSync(join(tmpdir(), 'auton8n-power-')))
const shim = join(work, 'powercut.so')
let without: string | undefined

/** A store whose files lie on a disk that the power can be cut from. */
interface Kind {
  name: string
  without(): string | undefined
  /** What lies on the disk before the first cut. */
  prepare(disk: string): Promise<void>
  copy(from: string, to: string): void
  /** Opens the disk; from now on `to`, where it is given, holds what was synced. */
  open(disk: string, to?: string): Promise<Opened>
}

interface Opened {
  /** For a child, and for this process. */
  place: string
  options: QueueOptions
  env: NodeJS.ProcessEnv
  /** The end of what runs beside the child, as sudden as a power cut. */
  cut(): Promise<void>
}

function copyFiles(from: string, to: string): void {
  cpSync(from, to, { recursive: true, filter: file => !/\.(sock|lock)$/.test(file) })
}

function cutting(from: string, to: string | undefined): NodeJS.ProcessEnv {
  if (to === undefined) return process.env
  return { ...process.env, LD_PRELOAD: shim, AUTON8N_CUT_FROM: from, AUTON8N_CUT_TO: to }
}

const sqlite: Kind = {
  name: 'SQLite',
  without: () => undefined,
  prepare: async () => undefined,
  copy: copyFiles,
  open: async (disk, to) => ({
    place: disk,
    options: { dataDir: disk },
    env: cutting(disk, to),
    cut: async () => undefined,
  }),
}

const redis: Kind = {
  name: 'Redis, appendfsync always',
  without: withoutRedis,
  async prepare(disk) {
    const server = await startRedis(disk, await freePort(), process.env)
    await ended(server, 'SIGTERM')
  },
  copy: copyFiles,
  async open(disk, to) {
    const [port, files] = [await freePort(), 'appendonlydir']
    const server = await startRedis(disk, port, cutting(join(disk, files), to && join(to, files)))
    const place = `redis://127.0.0.1:${port}`
    return { place, options: { store: place }, env: process.env, cut: () => ended(server, 'SIGKILL') }
  },
}

const postgres: Kind = {
  name: 'PostgreSQL',
  without: withoutPostgres,
  prepare: async disk => makePostgresDisk(disk),
  copy: copyPostgresDisk,
  async open(disk, to) {
    const data = join(disk, 'data')
    const env = { ...cutting(data, to && join(to, 'data')), AUTON8N_CUT_WHOLE: '1' }
    const { url, cut } = await startPostgresOnDisk(disk, await freePort(), env)
    return { place: url, options: { store: url }, env: process.env, cut }
  },
}

async function startRedis(disk: string, port: number, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const settings = { port, dir: disk, appendonly: 'yes', appendfsync: 'always', save: '', 'auto-aof-rewrite-percentage': 0 }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
  const server = spawn('redis-server', args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    server.stdout.on('data', (text: Buffer) => text.includes('Ready to accept') && resolve())
    server.once('close', () => reject(new Error('Redis did not start')))
  })
  return server
}

async function ended(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const closed = new Promise(resolve => server.once('close', resolve))
  server.kill(signal)
  await closed
}

beforeAll(() => {
  // PostgreSQL runs as another user.
  chmodSync(work, 0o755)
  try {
    const source = join(root, '__test__/support/powercut.c')
    execFileSync('cc', ['-O2', '-shared', '-fPIC', '-o', shim, source, '-ldl'], { stdio: 'pipe' })
  } catch (error) {
    if (process.env['AUTON8N_REQUIRE_ALL'] === '1' || process.platform === 'linux') throw error
    without = 'there is no C compiler'
  }
  return () => rmSync(work, { recursive: true, force: true })
})

afterEach(() => killChildren())

test.for([sqlite, postgres, redis])('$name: power cuts, after which only what was synced is there, lose no acknowledged job', async (kind, context) => {
  const why = without ?? kind.without()
  if (why !== undefined) {
    context.skip(why)
    return
  }
  const random = seeded(11)
  const added: string[] = []
  const passing: string[] = []
  const completed = new Set<string>()
  const runs = new Set<string>()
  const again: number[] = []
  const path = (round: number): string => join(work, `${kind.name[0] ?? ''}${round}`)
  mkdirSync(path(0))
  await kind.prepare(path(0))
  for (let round = 0; round < rounds; round++) {
    const [disk, copy] = [path(round), path(round + 1)]
    mkdirSync(copy)
    kind.copy(disk, copy)
    const { place, env, cut } = await kind.open(disk, copy)
    const child = startNode([script, 'busy', place], { env })
    await until(() => after(child.lines, 'added').length > 20)
    await new Promise(resolve => setTimeout(resolve, random() * 150))
    const stopped = cut()
    child.process.kill('SIGKILL')
    await Promise.all([child.ended, stopped])
    again.push(after(child.lines, 'ran').filter(id => completed.has(id)).length)
    added.push(...after(child.lines, 'added'))
    passing.push(...after(child.lines, 'passing'))
    for (const id of after(child.lines, 'ran')) runs.add(id)
    for (const id of after(child.lines, 'completed')) completed.add(id)
    rmSync(disk, { recursive: true })
  }
  const { options, cut } = await kind.open(path(rounds))
  const queue = await JobQueue.open('q', { ...options, leaseDuration: 1000, retention: { count: 1e9 } })
  try {
    const ran: string[] = []
    queue.registerHandler('work', job => void ran.push(job.id))
    await queue.createWorker({ concurrency: 10 }).start()
    await until(async () => {
      const { pending, running, retrying } = await queue.getMetrics()
      return pending + running + retrying === 0
    })
    again.push(ran.filter(id => completed.has(id)).length)
    const known = await Promise.all(added.map(id => queue.getJob(id)))
    for (const id of ran) runs.add(id)
    const lost = known.filter(job => job?.status !== 'completed').length + passing.filter(id => !runs.has(id)).length
    const twice = again.reduce((sum, n) => sum + n, 0)
    console.log(`${kind.name}, ${rounds} power cuts: acknowledged ${added.length + passing.length}, lost ${lost}, told as completed and run again ${twice}`)
    expect(lost).toBe(0)
    expect(twice).toBe(0)
  } finally {
    await queue.shutdown()
    await cut()
  }
})
