import type { Route, RouteRequest } from '@elizaos/core'
import type { JobStatus } from '../api/queue.js'
import { checkOptions, invalid, kindOf, type CreatePluginOptions } from '../api/options.js'
import type { PluginSpecification } from '../api/specification.js'
import { Auton8nError } from '../errors.js'
import { defineRoute, headerOf, type RouteCall } from './define.js'
import { streamEvents } from './eventStream.js'
import { negotiate, type Offer } from './negotiation.js'

const MOST_LISTED = 200

/** Whoever has the token counts as one for the hourly limit, whatever users are named. */
const HTTP_CLIENT = 'http'

const METRICS_TYPES = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const

const METRICS: [Offer<Metrics>, ...Offer<Metrics>[]] = [
  { type: 'text/plain', value: 'prometheus' },
  { type: 'application/openmetrics-text', value: 'openmetrics' },
  { type: 'application/json', value: 'json' },
]

type Metrics = keyof typeof METRICS_TYPES | 'json'

/** Options that may come over HTTP: no model, no key and no path. */
type HttpOptions = Pick<
  CreatePluginOptions,
  'generator' | 'maxIterations' | 'priority' | 'timeout' | 'userId' | 'metadata'
>

interface HttpCreation {
  specification?: unknown
  description?: unknown
  options?: unknown
}

/** Every route of the plugin; all but `/health` need the token. */
export const routes: Route[] = [
  defineRoute({
    type: 'GET',
    path: '/health',
    open: true,
    run: async ({ request, service }) => {
      const probe = request.query?.probe
      if (probe !== undefined && probe !== 'live' && probe !== 'ready') {
        throw invalid("`probe` must be 'live' or 'ready'")
      }
      // Whoever answers lives; nothing else is looked at, so that a slow sandbox ends no process.
      if (probe === 'live') return { status: 200, body: { live: true } }
      const { status, live, ready, reasons } = await service.getHealthStatus()
      // Open to everyone, so the messages, which may name paths and addresses, stay inside.
      const body = { status, live, ready, reasons: reasons.map(({ code }) => code) }
      return { status: probe === 'ready' && !ready ? 503 : 200, body }
    },
  }),
  defineRoute({
    type: 'GET',
    path: '/metrics',
    run: async ({ request, service }) => {
      const format = negotiate(headerOf(request, 'accept'), METRICS)
      if (format === 'json') return { status: 200, body: await service.getMetrics() }
      const body = await (await service.engine()).metricsText({ format })
      return { status: 200, body, type: METRICS_TYPES[format] }
    },
  }),
  defineRoute({
    type: 'GET',
    path: '/jobs',
    run: async ({ request, service }) => {
      const engine = await service.engine()
      return { status: 200, body: { jobs: await engine.jobs(filterOf(request)) } }
    },
  }),
  defineRoute({ type: 'POST', path: '/jobs', run: create }),
  defineRoute({
    type: 'GET',
    path: '/jobs/:id/events',
    run: async ({ request, response, service }) => {
      await streamEvents(await service.creation(idOf(request)), request, response)
      return undefined
    },
  }),
  defineRoute({
    type: 'GET',
    path: '/jobs/:id',
    run: async ({ request, service }) => {
      const job = await service.getJobStatus(idOf(request))
      if (!job) throw notFound(idOf(request))
      return { status: 200, body: job }
    },
  }),
  defineRoute({
    type: 'DELETE',
    path: '/jobs/:id',
    run: async ({ request, service }) => {
      const id = idOf(request)
      const job = await service.getJobStatus(id)
      if (!job) throw notFound(id)
      if (await service.cancelJob(id)) return { status: 200, body: { id, cancelled: true } }
      throw new Auton8nError('AUTON8N_JOB_STATE', `Job '${id}' is over already, so there is nothing to cancel.`)
    },
  }),
]

/** The value is looked at elsewhere. */
function any(): undefined {
  return undefined
}

async function create({ request, service }: RouteCall): Promise<{ status: number; body: unknown }> {
  const body = checkOptions<HttpCreation>('body', request.body ?? null, {
    specification: any,
    description: (value) => (typeof value === 'string' ? undefined : 'a string'),
    options: any,
  })
  const options = checkOptions<HttpOptions>('options', body.options, {
    // The engine checks the values; here only the names are fewer.
    generator: any,
    maxIterations: any,
    priority: any,
    timeout: any,
    userId: any,
    metadata: any,
  })
  if ((body.specification === undefined) === (body.description === undefined)) {
    throw invalid('The body must have either `specification` or `description`')
  }
  const made = { ...withoutAsker(options), client: HTTP_CLIENT }
  const id =
    body.description === undefined
      ? await service.createPlugin(body.specification as PluginSpecification, undefined, made)
      : await service.createPluginFromDescription(body.description as string, made)
  return { status: 202, body: { id } }
}

/** Who asked is known of messages only; over HTTP it could name a room and a user of somebody else. */
function withoutAsker(options: HttpOptions): HttpOptions {
  const { metadata, ...rest } = options
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return options
  const { asker: _, ...kept } = metadata
  return { ...rest, metadata: kept }
}

function filterOf({ query = {} }: RouteRequest): { status?: JobStatus; limit: number; cursor?: string } {
  const { status, limit, cursor } = query
  const most = limit === undefined ? MOST_LISTED : Number(limit)
  if (!Number.isInteger(most) || most < 1 || most > MOST_LISTED) {
    throw invalid(`\`limit\` must be a whole number from 1 to ${MOST_LISTED}, not ${kindOf(limit)}`)
  }
  return {
    limit: most,
    ...(status === undefined ? {} : { status: status as JobStatus }),
    ...(cursor === undefined ? {} : { cursor: cursorOf(cursor) }),
  }
}

/** The id of a job, of which only the form is looked at: the job may have been removed since. */
function cursorOf(cursor: unknown): string {
  if (typeof cursor === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(cursor)) return cursor
  throw invalid('`cursor` must be the id of the last job of the page before')
}

function idOf({ params }: RouteRequest): string {
  const id = params?.id
  if (typeof id === 'string' && /^[\w.:-]{1,128}$/.test(id)) return id
  throw invalid('The id of a job is letters, digits, and `_ . : -`')
}

function notFound(id: string): Auton8nError {
  return new Auton8nError('AUTON8N_JOB_NOT_FOUND', `There is no job '${id}'. GET /jobs lists what there is.`)
}
