import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from './ports.js'

/** A receiver of OTLP that others made and published on PyPI; its version is fixed. */
const PACKAGE = 'oteltap==1.0.0'
/** Where it is kept for later runs, beside what other tests fetch. */
const cache = resolve('node_modules/.cache/auton8n-tests')
const folder = join(cache, 'oteltap-1.0.0')

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
    if (!existsSync(folder)) install()
    return undefined
  } catch (error) {
    if (process.env.AUTON8N_REQUIRE_ALL === '1') throw error
    return `${PACKAGE} cannot be installed with pip`
  }
}

/** Whole or not at all, since others may look at the same time. */
function install(): void {
  mkdirSync(cache, { recursive: true })
  const fresh = mkdtempSync(join(cache, 'oteltap-'))
  try {
    execFileSync('python3', ['-m', 'pip', 'install', '--quiet', '--target', fresh, PACKAGE], { stdio: 'pipe', timeout: 300_000 })
    renameSync(fresh, folder)
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
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
