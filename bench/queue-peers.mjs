// The other makers of queues, behind the few words that the benchmark says.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { peers } from './peers.mjs'

// Beside the sources, since a temporary directory may lie in memory.
export const folder = () => mkdtempSync(join(import.meta.dirname, '.queue-'))

async function freePort() {
  const server = createServer()
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise(resolve => server.close(resolve))
  return port
}

/** A PostgreSQL of its own, or nothing where it is not installed. Its disk is synced. */
export async function postgres() {
  const bin = ['17', '16', '15'].map(version => `/usr/lib/postgresql/${version}/bin`).find(existsSync)
  if (!bin) return undefined
  const port = await freePort()
  const script = join(import.meta.dirname, '../__test__/support/postgres.sh')
  const server = spawn('sh', [script, bin, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] })
  await new Promise((resolve, reject) => server.stdout.once('data', resolve) && server.once('exit', reject))
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    close: () => new Promise(resolve => server.once('close', resolve) && server.stdin.end()),
  }
}

async function redis(appendfsync) {
  const [port, dir] = [await freePort(), folder()]
  const args = ['--port', port, '--dir', dir, '--appendonly', 'yes', '--appendfsync', appendfsync, '--save', '']
  const server = spawn('redis-server', args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve, reject) => {
    server.stdout.on('data', text => String(text).includes('Ready to accept') && resolve())
    server.once('error', reject)
    server.once('exit', () => reject(new Error('redis-server ended')))
  })
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    async close() {
      const ended = new Promise(resolve => server.once('close', resolve))
      server.kill('SIGTERM')
      await ended
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** What is opened; where that fails, `end` ends the server that was started for it. */
async function orElse(opening, end) {
  try {
    return await opening
  } catch (error) {
    await end()
    throw error
  }
}

async function bullmq(appendfsync) {
  const [{ Queue, Worker }] = await peers(['bullmq@6.7.0', 'ioredis@6.0.0'])
  const server = await redis(appendfsync)
  const connection = { host: '127.0.0.1', port: server.port }
  const queue = new Queue('bench', { connection, defaultJobOptions: { removeOnComplete: true } })
  await orElse(queue.waitUntilReady(), () => server.close())
  let worker
  return {
    add: data => queue.add('a', data),
    bulk: all => queue.addBulk(all.map(data => ({ name: 'a', data }))),
    work: (concurrency, ran) => {
      worker = new Worker('bench', async () => ran(), { connection: { ...connection, maxRetriesPerRequest: null }, concurrency })
      return worker.waitUntilReady()
    },
    async close() {
      await worker?.close()
      await queue.close()
      await server.close()
    },
  }
}

async function pgboss(url) {
  const [{ PgBoss }] = await peers(['pg-boss@12.38.0'])
  const boss = new PgBoss({ connectionString: url, useListenNotify: true })
  boss.on('error', () => undefined)
  await boss.start()
  await boss.createQueue('bench', { notify: true })
  return {
    add: data => boss.send('bench', data),
    bulk: all => boss.insert('bench', all.map(data => ({ data }))),
    work: (concurrency, ran) =>
      boss.work('bench', { batchSize: 10, localConcurrency: Math.max(1, concurrency / 10), pollingIntervalSeconds: 0.5 }, async jobs => jobs.forEach(() => ran())),
    close: () => boss.stop({ graceful: true, timeout: 2000 }),
  }
}

async function graphile(url) {
  const [worker] = await peers(['graphile-worker@0.18.0'])
  const utils = await worker.makeWorkerUtils({ connectionString: url })
  await utils.migrate()
  let runner
  return {
    add: data => utils.addJob('a', data),
    bulk: all => utils.addJobs(all.map(payload => ({ identifier: 'a', payload }))),
    work: async (concurrency, ran) => {
      const preset = concurrency < 10 ? {} : { localQueue: { size: concurrency * 4 }, completeJobBatchDelay: 0 }
      runner = await worker.run({
        connectionString: url,
        concurrency,
        noHandleSignals: true,
        taskList: { a: async () => ran() },
        preset: { worker: { maxPoolSize: 20, ...preset } },
        logger: new worker.Logger(() => () => undefined),
      })
    },
    async close() {
      await runner?.stop()
      await utils.release()
    },
  }
}

async function plainjob() {
  // On an older Node its better-sqlite3 installs, and then ends the process.
  if (Number(process.versions.node.split('.')[0]) < 22) throw new Error('it needs Node 22')
  const [Database, { better, defineQueue, defineWorker }] = await peers(['better-sqlite3@13.2.0', 'plainjob@0.0.14'])
  const dir = folder()
  const database = new Database(join(dir, 'jobs.db'))
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
  const queue = defineQueue({ connection: better(database), logger })
  const workers = []
  return {
    add: async data => queue.add('a', data),
    bulk: async all => queue.addMany('a', all),
    work: async (concurrency, ran) => {
      for (let n = 0; n < concurrency; n++) {
        const worker = defineWorker('a', async () => ran(), { queue, logger })
        workers.push(worker)
        void worker.start()
      }
    },
    async close() {
      await Promise.all(workers.map(worker => worker.stop()))
      queue.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function ours(open) {
  const { JobQueue } = await import('../dist/api/queue.js')
  const { options, end } = await open()
  const queue = await orElse(JobQueue.open('bench', { ...options, retention: { count: 0 } }), end)
  return {
    add: data => queue.addJob('a', data),
    bulk: all => queue.addBulkJobs(all.map(data => ({ name: 'a', data }))),
    work: (concurrency, ran) => {
      queue.registerHandler('a', () => ran())
      return queue.createWorker({ concurrency }).start()
    },
    async close() {
      await queue.shutdown()
      await end()
    },
  }
}

const oursOnRedis = (appendfsync) =>
  ours(async () => {
    const server = await redis(appendfsync)
    return { options: { store: server.url }, end: () => server.close() }
  })

const SYNCED = 'synced'

/** Who takes part, what an answered add of theirs survives, and how they are opened. */
export const makers = {
  'auton8n, SQLite': {
    durability: SYNCED,
    backlog: 200_000,
    open: () =>
      ours(() => {
        const dataDir = folder()
        return { options: { dataDir }, end: () => rmSync(dataDir, { recursive: true, force: true }) }
      }),
  },
  'auton8n, PostgreSQL': {
    durability: SYNCED,
    backlog: 50_000,
    postgres: true,
    open: url => ours(() => ({ options: { store: url }, end: () => undefined })),
  },
  'auton8n, Redis everysec': { durability: 'up to 1 s lost', backlog: 100_000, open: () => oursOnRedis('everysec') },
  'auton8n, Redis always': { durability: SYNCED, backlog: 50_000, open: () => oursOnRedis('always') },
  'BullMQ, Redis everysec': { durability: 'up to 1 s lost', open: () => bullmq('everysec') },
  'BullMQ, Redis always': { durability: SYNCED, open: () => bullmq('always') },
  'pg-boss': { durability: SYNCED, postgres: true, open: pgboss },
  'Graphile Worker': { durability: SYNCED, postgres: true, open: graphile },
  'plainjob, SQLite': { durability: 'kill -9 only', open: () => plainjob() },
}
