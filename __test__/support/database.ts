import { execFile, execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort } from './ports.js'

const run = promisify(execFile)
const given = process.env['AUTON8N_TEST_POSTGRES_BIN']
const bins = [...(given ? [given] : []), ...['17', '16', '15'].map(version => `/usr/lib/postgresql/${version}/bin`)]

/** A database server of a test's own. */
export interface Database {
  url: string
  /** The address of an empty database of it. */
  fresh(): string
  /** `kill` is kill -9 of the server; `stop` lets it end in order. */
  tell(command: 'kill' | 'stop' | 'start' | 'freeze' | 'thaw'): Promise<void>
  close(): Promise<void>
}

/** A kind of server that holds jobs. */
export interface ServerKind {
  name: string
  /** Why there can be none here, or `undefined`. Where nothing may be left out that is an error. */
  without(): string | undefined
  start(): Promise<Database>
}

/** Every kind of server that holds jobs, set so that an acknowledged job is on its disk. */
export const serverKinds: readonly ServerKind[] = [
  { name: 'PostgreSQL', without: withoutPostgres, start: startPostgres },
  { name: 'Redis', without: withoutRedis, start: () => startRedis() },
]

/** Where the programs of PostgreSQL are; empty where there are none. */
export function postgresBin(): string {
  return bins.find(bin => existsSync(`${bin}/initdb`)) ?? ''
}

export function withoutPostgres(): string | undefined {
  if (postgresBin() !== '') return undefined
  return missing('PostgreSQL 15 or newer', 'postgresql')
}

export function withoutRedis(): string | undefined {
  if (spawnSync('redis-server', ['--version']).status === 0) return undefined
  return missing('Redis', 'redis-server')
}

function missing(what: string, debian: string): string {
  if (process.env['AUTON8N_REQUIRE_ALL'] === '1') throw new Error(`${what} is not installed, and nothing may be left out`)
  return `${what} is not installed (apt-get install ${debian})`
}

export interface PostgresDatabase extends Database {
  /** All that it stores, as the statements that would store it again. */
  dump(): Promise<string>
}

/** Starts a PostgreSQL that syncs its disk as users' servers do. */
export async function startPostgres(): Promise<PostgresDatabase> {
  const bin = postgresBin()
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  let number = 0
  const fresh = (): string => {
    const name = `fresh${number++}`
    execFileSync('/usr/bin/env', ['psql', '-q', '-c', `CREATE DATABASE ${name}`, url])
    return url.replace(/postgres$/, name)
  }
  const dump = async (): Promise<string> => {
    const { stdout } = await run(`${bin}/pg_dump`, ['--inserts', url], { maxBuffer: 2 ** 28 })
    return stdout
  }
  return { url, fresh, dump, ...(await start('postgres.sh', [bin, String(port)])) }
}

/** Starts a Redis that syncs its disk before it answers, unless further settings say otherwise. */
export async function startRedis(...settings: string[]): Promise<Database> {
  const port = await freePort()
  let number = 0
  const fresh = (): string => `redis://127.0.0.1:${port}/${++number}`
  const safe = ['--databases', '100', '--appendonly', 'yes', '--appendfsync', 'always']
  return { url: `redis://127.0.0.1:${port}`, fresh, ...(await start('redis.sh', [String(port), ...safe, ...settings])) }
}

async function start(script: string, args: readonly string[]): Promise<Pick<Database, 'tell' | 'close'>> {
  const path = fileURLToPath(new URL(`./${script}`, import.meta.url))
  const server = spawn('sh', [path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const said = answers(server, createInterface(server.stdout))
  await said('ready')
  return {
    async tell(command) {
      server.stdin.write(`${command}\n`)
      await said('done')
    },
    async close() {
      if (server.exitCode !== null) return
      const ended = new Promise(resolve => server.once('close', resolve))
      server.stdin.end()
      await ended
    },
  }
}

function answers(server: ChildProcess, lines: Interface): (word: string) => Promise<void> {
  return word =>
    new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the database server did not start'))
      server.once('close', ended)
      lines.once('line', line => {
        server.off('close', ended)
        if (line === word) resolve()
        else reject(new Error(`the database server said ${line}`))
      })
    })
}
