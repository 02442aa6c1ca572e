import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { postgresBin } from './database.js'

/** Few and small files, so that a disk is copied soon, and checkpoints while a test runs. */
const SETTINGS = ['shared_buffers=16MB', 'max_wal_size=4MB', 'min_wal_size=2MB', 'max_connections=50', 'listen_addresses=127.0.0.1']

/** A server on a folder of a test's own, which outlives it. */
export interface PostgresOnDisk {
  url: string
  /** kill -9 of all of its processes. */
  cut(): Promise<void>
}

/** Makes the files of an empty server in `disk/data`. */
export function makePostgresDisk(disk: string): void {
  const [user, ...as] = whom()
  if (user !== undefined) execFileSync('chown', [user, disk])
  const args = ['-D', join(disk, 'data'), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--wal-segsize=1']
  execute([...as, join(postgresBin(), 'initdb'), ...args], disk)
}

/** Copies such a folder, with its owners. */
export function copyPostgresDisk(from: string, to: string): void {
  execFileSync('cp', ['-a', `${from}/.`, to])
}

/** Starts a server on such a folder, and waits until it has recovered what was written. */
export async function startPostgresOnDisk(disk: string, port: number, env: NodeJS.ProcessEnv): Promise<PostgresOnDisk> {
  const [, ...as] = whom()
  const settings = SETTINGS.flatMap(setting => ['-c', setting])
  const args = ['-D', join(disk, 'data'), '-p', String(port), '-k', disk, ...settings]
  const [command = '', ...rest] = [...as, join(postgresBin(), 'postgres'), ...args]
  const server = spawn(command, rest, { cwd: disk, env, stdio: ['ignore', 'ignore', 'pipe'] })
  await new Promise<void>((resolve, reject) => {
    let said = ''
    server.stderr.on('data', (text: Buffer) => {
      said = (said + text.toString()).slice(-10_000)
      if (said.includes('ready to accept connections')) resolve()
    })
    server.once('close', () => reject(new Error(`PostgreSQL did not start: ${said}`)))
  })
  return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, cut: () => cut(server) }
}

async function cut(server: ChildProcess): Promise<void> {
  const closed = new Promise(resolve => server.once('exit', resolve))
  const children = childrenOf(server.pid ?? 0)
  server.kill('SIGKILL')
  for (const child of children) kill(child)
  await closed
  while (children.some(isAlive)) await new Promise(resolve => setTimeout(resolve, 5))
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc').map(Number).filter(pid => pid > 0 && parentOf(pid) === parent)
}

function parentOf(pid: number): number | undefined {
  return Number(statOf(pid)?.[1])
}

function isAlive(pid: number): boolean {
  const state = statOf(pid)?.[0]
  return state !== undefined && state !== 'Z'
}

/** State and parent, which follow the name in parentheses. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

/** Root may not run the server: the user that does, and the command that becomes it. */
function whom(): [user: string | undefined, ...command: string[]] {
  if (process.getuid?.() !== 0) return [undefined]
  return ['postgres', 'setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups']
}

function execute([command = '', ...args]: string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] })
}
