import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const script = fileURLToPath(new URL('./postgres.sh', import.meta.url))
const bins = ['17', '16', '15'].map(version => `/usr/lib/postgresql/${version}/bin`)

/** A database server of a test's own. */
export interface Database {
  url: string
  /** `kill` is kill -9 of the server; `stop` lets it end in order. */
  tell(command: 'kill' | 'stop' | 'start' | 'freeze' | 'thaw'): Promise<void>
  /** All that it stores, as the statements that would store it again. */
  dump(): Promise<string>
  close(): Promise<void>
}

/** Why there can be no PostgreSQL here, or `undefined`. Where nothing may be left out that is an error. */
export function withoutPostgres(): string | undefined {
  if (bins.some(bin => existsSync(`${bin}/initdb`))) return undefined
  if (process.env['AUTON8N_REQUIRE_ALL'] === '1') throw new Error('PostgreSQL is not installed, and nothing may be left out')
  return 'PostgreSQL 15 or newer is not installed (apt-get install postgresql)'
}

/** Starts a PostgreSQL that syncs its disk as users' servers do. */
export async function startPostgres(): Promise<Database> {
  const bin = bins.find(one => existsSync(`${one}/initdb`)) ?? ''
  const port = await freePort()
  const server = spawn('sh', [script, bin, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface(server.stdout)
  const said = answers(server, lines)
  await said('ready')
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  return {
    url,
    async tell(command) {
      server.stdin.write(`${command}\n`)
      await said('done')
    },
    async dump() {
      const { stdout } = await run(`${bin}/pg_dump`, ['--inserts', url], { maxBuffer: 2 ** 28 })
      return stdout
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

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}
