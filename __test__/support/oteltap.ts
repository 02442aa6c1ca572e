import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A receiver of OTLP that others made and published on PyPI; its version is fixed. */
const PACKAGE = 'oteltap==1.0.0'
const folder = join(tmpdir(), 'auton8n-oteltap-1.0.0')

/** A span as OTLP's JSON has it. */
export interface TappedSpan {
  name: string
  traceId: string
  parentSpanId?: string
  kind?: string
  attributes?: { key: string; value: object }[]
  events?: { name: string }[]
  status?: object
}

export interface Tap {
  url: string
  lines: string[]
  stop(): Promise<void>
}

/** Why there can be none here, or `undefined`. Where nothing may be left out that is an error. */
export function withoutOteltap(): string | undefined {
  try {
    if (!existsSync(join(folder, 'oteltap'))) {
      mkdirSync(folder, { recursive: true })
      execFileSync('python3', ['-m', 'pip', 'install', '--quiet', '--target', folder, PACKAGE], { stdio: 'pipe', timeout: 120_000 })
    }
    return undefined
  } catch (error) {
    if (process.env.AUTON8N_REQUIRE_ALL === '1') throw error
    return `${PACKAGE} cannot be installed with pip`
  }
}

/** Starts it and waits until it listens. */
export async function startOteltap(): Promise<Tap> {
  const port = await freePort()
  const child = spawn('python3', ['-u', '-m', 'oteltap', '--port', String(port)], {
    env: { ...process.env, PYTHONPATH: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const lines: string[] = []
  await new Promise<void>((resolve, reject) => {
    child.once('close', () => reject(new Error('oteltap did not start')))
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line)
      if (line.startsWith('Listening')) resolve()
    })
  })
  return {
    url: `http://127.0.0.1:${port}`,
    lines,
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
