import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import plugin from '../../plugin/index.js'
import { bootAgent, type Agent } from '../support/agent.js'
import { serveRoutes, type RouteServer } from '../support/routeServer.js'

const token = ['route', 'token', 'for', 'tests'].join('-')
const specification = {
  name: '@acme/plugin-greeting',
  description: 'Greets people',
  actions: [
    {
      name: 'GREET_PERSON',
      description: 'Greets a person by name',
      parameters: { name: { type: 'string', description: 'Whom to greet', required: true } },
    },
  ],
}

interface Answer {
  status: number
  body: Record<string, unknown>
}

let agent: Agent
let server: RouteServer

beforeAll(async () => {
  agent = await bootAgent({ plugins: [plugin], settings: { AUTON8N_API_TOKEN: token, AUTON8N_RATE_LIMIT: '3' } })
  await agent.runtime.getServiceLoadPromise('plugin_creation')
  server = await serveRoutes(agent.runtime)
})
afterAll(async () => {
  await server.close()
  await agent.stop()
})

async function call(method: string, path: string, body?: unknown, authorization = `Bearer ${token}`): Promise<Answer> {
  const response = await fetch(`${server.url}/auton8n${path}`, {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

const GUARDED: [method: string, path: string][] = [
  ['GET', '/metrics'],
  ['GET', '/jobs'],
  ['POST', '/jobs'],
  ['GET', '/jobs/some-job'],
  ['GET', '/jobs/some-job/events'],
  ['DELETE', '/jobs/some-job'],
]

describe('the token', () => {
  it('is not needed for the health, which names no path', async () => {
    const { status, body } = await call('GET', '/health', undefined, '')
    expect(status).toBe(200)
    expect(body.status).toMatch(/^(ok|degraded)$/)
    expect(JSON.stringify(body)).not.toContain('/')
  })

  it('is not needed for the probes of an orchestrator', async () => {
    expect(await call('GET', '/health?probe=live', undefined, '')).toEqual({ status: 200, body: { live: true } })
    const ready = await call('GET', '/health?probe=ready', undefined, '')
    expect(ready).toMatchObject({ status: 200, body: { live: true, ready: true } })
    expect((await call('GET', '/health?probe=lively', undefined, '')).status).toBe(400)
  })

  it.each(GUARDED)('is needed for %s %s', async (method, path) => {
    for (const wrong of ['', 'Bearer', 'Bearer wrong', `Bearer ${token}x`, `Basic ${token}`, token]) {
      const { status, body } = await call(method, path, method === 'POST' ? { specification } : undefined, wrong)
      expect({ status, body }).toMatchObject({ status: 401, body: { error: { code: 'AUTON8N_UNAUTHORIZED' } } })
    }
  })

  it('closes the routes where none is configured', async () => {
    const bare = await bootAgent({ plugins: [plugin] })
    const open = await serveRoutes(bare.runtime)
    try {
      for (const [method, path] of GUARDED) {
        const response = await fetch(`${open.url}/auton8n${path}`, { method, headers: { authorization: 'Bearer ' } })
        expect(response.status).toBe(503)
      }
    } finally {
      await open.close()
      await bare.stop()
    }
  })
})

describe('jobs', () => {
  it.each([
    ['nothing', undefined],
    ['an array', []],
    ['neither specification nor description', {}],
    ['both', { specification, description: 'a plugin that greets' }],
    ['a description that is no text', { description: 7 }],
    ['a member that is not known', { specification, apiKey: 'x' }],
    ['an option that is not known', { specification, options: { outDir: '/tmp' } }],
    ['an option of a wrong type', { specification, options: { maxIterations: 'many' } }],
    ['a specification that is null', { specification: null }],
    ['a specification with problems', { specification: { ...specification, name: '../../etc' } }],
  ])('are refused with 400 for %s', async (_name, body) => {
    expect(await call('POST', '/jobs', body)).toMatchObject({
      status: 400,
      body: { error: { code: expect.stringMatching(/^AUTON8N_/), message: expect.any(String) } },
    })
  })

  it('that are not there answer 404, and ids that cannot be 400', async () => {
    for (const [method, path] of GUARDED.slice(3)) {
      const missing = await call(method, path.replace('some-job', '01999999-0000-7000-8000-000000000000'))
      expect(missing).toMatchObject({ status: 404, body: { error: { code: 'AUTON8N_JOB_NOT_FOUND' } } })
      const strange = await call(method, path.replace('some-job', encodeURIComponent('../x y')))
      expect(strange.status).toBe(400)
    }
  })

  it('are listed by status, and a filter that cannot be is refused', async () => {
    expect(await call('GET', '/jobs?status=running&limit=5')).toMatchObject({ status: 200, body: { jobs: [] } })
    expect((await call('GET', '/jobs?status=sleeping')).status).toBe(400)
    expect((await call('GET', '/jobs?limit=0')).status).toBe(400)
    for (const cursor of ['bogus', '', '1', "'%20or%201=1"]) {
      const answer = await call('GET', `/jobs?cursor=${cursor}`)
      expect(answer).toMatchObject({ status: 400, body: { error: { code: 'AUTON8N_OPTION_INVALID' } } })
    }
    expect((await call('GET', '/jobs?cursor=01999999-0000-7000-8000-000000000000')).status).toBe(200)
  })

  it('are made, followed and cancelled, and the rate is limited', async () => {
    const { agentId } = agent.runtime
    const asker = { agentId, roomId: agent.roomId, entityId: agent.userId }
    const made = await call('POST', '/jobs', { specification, options: { userId: 'ann', metadata: { order: 7, asker } } })
    expect(made).toMatchObject({ status: 202, body: { id: expect.any(String) } })
    const id = String(made.body.id)
    const path = `/jobs/${id}`
    expect(await call('GET', path)).toMatchObject({ status: 200, body: { id, userId: 'ann', metadata: { order: 7 } } })
    expect((await call('GET', path)).body.metadata).toEqual({ order: 7 })
    const cancelled = await call('DELETE', path)
    expect([200, 409]).toContain(cancelled.status)

    const headers = { authorization: `Bearer ${token}` }
    const response = await fetch(`${server.url}/auton8n${path}/events`, { headers })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const lines = [...(await response.text()).matchAll(/^data: (.*)$/gm)]
    const events = lines.map(([, data]) => JSON.parse(data ?? '') as object)
    expect(events[0]).toMatchObject({ type: 'status', jobId: id })
    expect(events.at(-1)).toMatchObject({ type: 'done', jobId: id })
    expect(await call('DELETE', path)).toMatchObject({ status: 409, body: { error: { code: 'AUTON8N_JOB_STATE' } } })

    // Whatever users are named, the token is one.
    const statuses: Answer[] = []
    for (const userId of ['ann', 'bob', 'cid']) {
      statuses.push(await call('POST', '/jobs', { specification, options: { userId } }))
    }
    expect(statuses.map(({ status }) => status)).toEqual([202, 202, 429])
    for (const { body } of statuses) if (body.id) await call('DELETE', `/jobs/${String(body.id)}`)
  })

  it.each([
    ['application/json', /^application\/json/, /^\{/],
    ['text/html, application/json;q=0.9', /^application\/json/, /^\{/],
    [undefined, /^text\/plain; version=0\.0\.4/, /^# HELP /],
    ['text/plain;version=0.0.4;q=0.5,*/*;q=0.1', /^text\/plain; version=0\.0\.4/, /^# HELP /],
    [
      'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      /^application\/openmetrics-text; version=1\.0\.0/,
      /# EOF\n$/,
    ],
    ['image/png', /^text\/plain/, /^# HELP /],
  ])('metrics are written as %s asks', async (accept, type, body) => {
    const response = await fetch(`${server.url}/auton8n/metrics`, {
      headers: { authorization: `Bearer ${token}`, ...(accept ? { accept } : {}) },
    })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(type)
    expect(await response.text()).toMatch(body)
  })
})
