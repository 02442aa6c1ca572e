import { createHash, timingSafeEqual } from 'node:crypto'
import type { IAgentRuntime, Route, RouteRequest, RouteResponse } from '@elizaos/core'
import { Auton8nError } from '../errors.js'
import { serviceOf, type PluginCreationService } from '../service.js'
import { readSettings } from '../settings.js'

/** What a route works on. */
export interface RouteCall {
  request: RouteRequest
  response: RouteResponse
  service: PluginCreationService
}

/** What a route answers; nothing where it wrote the answer itself. */
export interface RouteAnswer {
  status: number
  /** JSON, or a text where it has a type of its own. */
  body: unknown
  type?: string
}

/** A route before it is guarded. */
export interface RouteDefinition {
  type: 'GET' | 'POST' | 'DELETE'
  path: string
  /** Answers without a token. */
  open?: boolean
  run(call: RouteCall): Promise<RouteAnswer | undefined>
}

const STATUS_OF_CODE: Record<string, number> = {
  AUTON8N_OPTION_INVALID: 400,
  AUTON8N_SPECIFICATION_INVALID: 400,
  AUTON8N_SECRET_FOUND: 400,
  AUTON8N_MODEL_NEEDED: 400,
  AUTON8N_DEPENDENCY_UNSUPPORTED: 400,
  AUTON8N_JOB_NOT_FOUND: 404,
  AUTON8N_JOB_STATE: 409,
  AUTON8N_JOB_DUPLICATE: 409,
  AUTON8N_RATE_LIMITED: 429,
  AUTON8N_INTERNAL: 500,
}

/** A route that checks the token itself, since core does not, and never throws, since nobody would catch it. */
export function defineRoute({ type, path, open = false, run }: RouteDefinition): Route {
  return {
    type,
    path,
    handler: async (request, response, runtime) => {
      try {
        const refusal = open ? undefined : refusalOf(request, runtime)
        const answer = refusal ?? (await run({ request, response, service: serviceOf(runtime) }))
        if (answer) send(response, answer)
      } catch (error) {
        trySend(response, answerOfError(error))
      }
    },
  }
}

/** Why a request is not served; nothing where its token is right. */
function refusalOf(request: RouteRequest, runtime: IAgentRuntime): RouteAnswer | undefined {
  const { apiToken } = readSettings(runtime)
  if (!apiToken) {
    return refusal(503, 'AUTON8N_TOKEN_MISSING', 'No AUTON8N_API_TOKEN is configured, so these routes are closed.')
  }
  const given = /^bearer +(.+)$/i.exec(headerOf(request, 'authorization') ?? '')?.[1]
  if (given !== undefined && same(given.trim(), apiToken)) return undefined
  return refusal(401, 'AUTON8N_UNAUTHORIZED', 'Send `Authorization: Bearer` with the AUTON8N_API_TOKEN.')
}

/** Takes the same time wherever the two differ. */
function same(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

export function headerOf(request: RouteRequest, name: string): string | undefined {
  const entry = Object.entries(request.headers ?? {}).find(([key]) => key.toLowerCase() === name)?.[1]
  return Array.isArray(entry) ? entry[0] : entry
}

function answerOfError(error: unknown): RouteAnswer {
  if (!(error instanceof Auton8nError)) return refusal(500, 'AUTON8N_INTERNAL', 'Something went wrong; see the log.')
  const problems = (error.details as { problems?: unknown } | undefined)?.problems
  const extras = Array.isArray(problems) && error.code !== 'AUTON8N_SECRET_FOUND' ? { problems } : {}
  return refusal(STATUS_OF_CODE[error.code] ?? 503, error.code, error.message, extras)
}

function refusal(status: number, code: string, message: string, extras: object = {}): RouteAnswer {
  return { status, body: { error: { code, message, ...extras } } }
}

function send(response: RouteResponse, { status, body, type }: RouteAnswer): void {
  if (status === 401) response.setHeader?.('WWW-Authenticate', 'Bearer')
  response.setHeader?.('Cache-Control', 'no-store')
  if (type === undefined) {
    response.status(status).json(body)
    return
  }
  response.setHeader?.('Content-Type', type)
  response.status(status).send(body)
}

function trySend(response: RouteResponse, answer: RouteAnswer): void {
  try {
    if (response.headersSent) response.end()
    else send(response, answer)
  } catch {
    // The other side has gone.
  }
}
