import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './ports.js'

/** Whether Prometheus and its tool are installed; where `AUTON8N_REQUIRE_ALL` is set a test fails without them. */
export function prometheusIsHere(): boolean {
  if (process.env.AUTON8N_REQUIRE_ALL === '1') return true
  return ['prometheus', 'promtool'].every((name) => spawnSync(name, ['--version']).status === 0)
}

/** Runs promtool; answers its exit code and what it said. */
export function promtool(args: string[], input?: string): { status: number | null; said: string } {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { input, encoding: 'utf8' })
  return { status, said: error ? error.message : `${stdout}${stderr}` }
}

/** A real Prometheus that scrapes one address each two seconds, which leaves a busy machine time to answer. */
export interface Prometheus {
  /** The series that a query answers. */
  query(expression: string): Promise<{ metric: Record<string, string>; value: number }[]>
  get(path: string): Promise<unknown>
  stop(): Promise<void>
}

export async function startPrometheus(target: URL, token: string): Promise<Prometheus> {
  const home = await mkdtemp(join(tmpdir(), 'auton8n-prometheus-'))
  const config = `
global: { scrape_interval: 2s, scrape_timeout: 2s }
scrape_configs:
  - job_name: auton8n
    metrics_path: ${target.pathname}
    authorization: { credentials: '${token}' }
    static_configs: [{ targets: ['${target.host}'] }]
`
  await writeFile(join(home, 'prometheus.yml'), config, { mode: 0o600 })
  const url = `http://127.0.0.1:${await freePort()}`
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(home, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(home, 'data')}`,
      `--web.listen-address=${url.slice('http://'.length)}`,
      '--enable-feature=exemplar-storage',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)))
  const get = async (path: string): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(10_000) })
    const body = (await response.json()) as { status: string; data: unknown; error?: string }
    if (body.status !== 'success') throw new Error(`${path}: ${body.error}`)
    return body.data
  }
  const stop = async (): Promise<void> => {
    const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
    child.kill('SIGKILL')
    await gone
    await rm(home, { recursive: true, force: true })
  }
  const deadline = Date.now() + 60_000
  while (!(await fetch(`${url}/-/ready`).then((response) => response.ok, () => false))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop()
      throw new Error(`Prometheus did not start: ${said}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return {
    query: async (expression) => {
      const data = (await get(`/api/v1/query?query=${encodeURIComponent(expression)}`)) as {
        result: { metric: Record<string, string>; value: [number, string] }[]
      }
      return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
    },
    get,
    stop,
  }
}
