import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import plugin, { CircuitBreakerFactory, observeBreakers, type PluginCreationService } from '../../plugin/index.js'
import { bootAgent, type Agent } from '../support/agent.js'
import { greetingSpecification } from '../support/greetingPlugin.js'
import { sandboxIsHere } from '../support/needs.js'
import { prometheusIsHere, promtool, startPrometheus, type Prometheus } from '../support/prometheus.js'
import { serveRoutes, type RouteServer } from '../support/routeServer.js'

const deploy = (path: string): string => new URL(`../../deploy/${path}`, import.meta.url).pathname
const token = ['metrics', 'token', 'for', 'tests'].join('-')
const here = prometheusIsHere()
const sandbox = await sandboxIsHere()

interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[]
}

describe.runIf(here)('the files of deploy/', () => {
  it('are rules that promtool accepts', () => {
    expect(promtool(['check', 'rules', deploy('prometheus/alerts.yml')])).toMatchObject({ status: 0 })
    expect(promtool(['check', 'config', '--syntax-only', deploy('prometheus/prometheus.yml')])).toMatchObject({
      status: 0,
    })
  })

  it('are alerts that ring when they should', () => {
    const { status, said } = promtool(['test', 'rules', deploy('prometheus/alerts.test.yml')])
    expect(said).toContain('SUCCESS')
    expect(status).toBe(0)
  })

  it('test every alert that there is', () => {
    const names = [...readFileSync(deploy('prometheus/alerts.yml'), 'utf8').matchAll(/alert: (\w+)/g)].map(([, name]) => name)
    const tests = readFileSync(deploy('prometheus/alerts.test.yml'), 'utf8')
    expect(names.length).toBeGreaterThan(5)
    for (const name of names) expect(tests).toMatch(new RegExp(`alertname: ${name}\\n +exp_alerts:\\n`))
  })
})

describe.runIf(here)('a real Prometheus', () => {
  let agent: Agent
  let server: RouteServer
  let prometheus: Prometheus
  let jobs: string[]
  let forget: (() => void) | undefined

  beforeAll(async () => {
    agent = await bootAgent({ plugins: [plugin], settings: { AUTON8N_API_TOKEN: token } })
    await agent.runtime.getServiceLoadPromise('plugin_creation')
    server = await serveRoutes(agent.runtime)
    prometheus = await startPrometheus(new URL(`${server.url}/auton8n/metrics`), token)
    await scraped('nodejs_eventloop_lag_p99_seconds')
    const breakers = new CircuitBreakerFactory()
    forget = observeBreakers(breakers)
    await breakers.getBreaker('payments "api"').execute(async () => 1)
    breakers.getBreaker('payments "api"').isolate()
    await breakers.getBreaker('payments "api"').execute(async () => 1).catch(() => {})
    const service = agent.runtime.getService<PluginCreationService>('plugin_creation') as PluginCreationService
    const answers = ['no code at all', 'no code again', 'nothing']
    const model = () =>
      Promise.resolve({ text: answers.shift() ?? '', usage: { inputTokens: 700, outputTokens: 30 }, model: 'scripted' })
    jobs = [
      await service.createPlugin(greetingSpecification, undefined, { model, generator: 'model' }),
      ...(sandbox ? [await service.createPlugin(greetingSpecification, undefined, { generator: 'template' })] : []),
    ]
    for (const id of jobs) await (await service.creation(id)).finished()
    await until(async () => {
      const ended = await prometheus.query('sum(auton8n_jobs_finished_total)')
      return ended[0]?.value === jobs.length
    })
  }, 600_000)
  afterAll(async () => {
    forget?.()
    await prometheus?.stop()
    await server?.close()
    await agent?.stop()
  })

  async function scraped(expression: string): Promise<void> {
    await until(async () => (await prometheus.query(expression)).length > 0)
  }

  it('accepts the text, and so does promtool', async () => {
    const engine = await (agent.runtime.getService('plugin_creation') as unknown as PluginCreationService).engine()
    const { status, said } = promtool(['check', 'metrics'], await engine.metricsText())
    expect(said).toBe('')
    expect(status).toBe(0)
    expect(await prometheus.query('up{job="auton8n"}')).toMatchObject([{ value: 1 }])
  })

  it('counts what happened', async () => {
    const one = async (expression: string): Promise<number | undefined> => (await prometheus.query(expression))[0]?.value
    expect(await one('auton8n_jobs_finished_total{outcome="failed",code="AUTON8N_CHECKS_FAILED"}')).toBe(1)
    const calls = await one('auton8n_model_call_duration_seconds_count{outcome="ok"}')
    expect(calls).toBeGreaterThan(0)
    expect(await one('auton8n_model_tokens_total{direction="input"}')).toBe(700 * (calls ?? 0))
    expect(await one('auton8n_stage_duration_seconds_count{stage="generate",outcome="failed"}')).toBe(calls)
    expect(await one('auton8n_breaker_calls_total{breaker="model",outcome="success"}')).toBe(calls)
    expect(await one('auton8n_breaker_state{breaker="model",state="closed"}')).toBe(1)
    if (sandbox) {
      expect(await one('auton8n_jobs_finished_total{outcome="completed"}')).toBe(1)
      expect(await one('sum(auton8n_sandbox_boxes_total{outcome="started"})')).toBe(2)
      expect(await one('auton8n_stage_duration_seconds_count{stage="boot",outcome="passed"}')).toBe(1)
    }
  })

  it('shows breakers of the program, its event loop and its heap', async () => {
    const one = async (expression: string): Promise<number | undefined> => (await prometheus.query(expression))[0]?.value
    const own = 'breaker="payments \\"api\\""'
    expect(await one(`auton8n_breaker_state{${own},state="open"}`)).toBe(1)
    expect(await one(`auton8n_breaker_calls_total{${own},outcome="success"}`)).toBe(1)
    expect(await one(`auton8n_breaker_calls_total{${own},outcome="rejected"}`)).toBe(1)
    expect(await one('max_over_time(nodejs_eventloop_lag_max_seconds[10m])')).toBeGreaterThan(0)
    expect(await one('nodejs_eventloop_utilization')).toBeGreaterThan(0)
    expect(await one('nodejs_heap_size_used_bytes')).toBeGreaterThan(1e6)
  })

  it('has the traces of the jobs as exemplars', async () => {
    const range = `start=${Date.now() / 1000 - 3600}&end=${Date.now() / 1000 + 60}`
    const found = (await prometheus.get(
      `/api/v1/query_exemplars?query=auton8n_job_attempt_duration_seconds_bucket&${range}`,
    )) as { exemplars: { labels: { trace_id: string } }[] }[]
    const traces = found.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.trace_id))
    expect(new Set(traces)).toEqual(new Set(jobs.map((id) => id.replaceAll('-', ''))))
  })

  it('answers every query of the dashboard', async () => {
    const { panels } = JSON.parse(readFileSync(deploy('grafana/dashboard.json'), 'utf8')) as Dashboard
    const empty: string[] = []
    for (const { title, targets } of panels) {
      for (const { expr } of targets) {
        const series = await prometheus.query(expr.replaceAll('$__rate_interval', '10m'))
        const numbers = series.filter(({ value }) => Number.isFinite(value))
        if (numbers.length === 0 && (sandbox || !title.startsWith('Sandbox'))) empty.push(`${title}: ${expr}`)
      }
    }
    expect(panels.length).toBeGreaterThan(15)
    expect(empty).toEqual([])
  })
})

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it did not come to that within a minute')
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
