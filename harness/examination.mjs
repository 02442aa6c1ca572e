// The order of the examination: what is asked, in which order, and what is recorded.
import { contextProblem, field, isRecord, nameProblem, records, serviceKey, servedProblem, show, texts, upperSnake }
  from './assertions.mjs'
import { examineAction } from './actions.mjs'
import { buildAnswer, drawCanary, drawParameters, drawResult, likelyKinds } from './draw.mjs'
import { arrivedProblem, expectedRequest, foreignSettings, unaskedProblem } from './expectation.mjs'
import { passed, verdict } from './report.mjs'
import { failures, jsonAnswer } from './server.mjs'
import { textProblem } from './spoken.mjs'
import { surplusProblem } from './surplus.mjs'

/**
 * @typedef {{ name: string, description?: string, parameters?: Record<string, import('./draw.mjs').Parameter>,
 *   http?: import('./expectation.mjs').Http }} Action
 * @typedef {{ name: string, http?: import('./expectation.mjs').Http }} Provider
 * @typedef {{ name: string, methods?: { name: string }[] }} Service
 * @typedef {{ name: string, description?: string, actions?: Action[], providers?: Provider[], services?: Service[],
 *   evaluators?: { name: string }[], environmentVariables?: { name: string }[] }} Specification
 * @typedef {{ specification: Specification, random: import('./draw.mjs').Random,
 *   channel: import('./channel.mjs').Channel, server: import('./server.mjs').LocalServer,
 *   report: import('./report.mjs').Report, settings: Record<string, string>, requestMs: number,
 *   declared: Set<string> }} Examination
 */

/** @param {Examination} examination */
export async function examine(examination) {
  const { specification, channel, report, random } = examination
  /** @type {unknown} */
  let shape
  const loaded = await report.check('loads by its default export', async () => {
    const body = { server: examination.server.port, settings: examination.settings }
    const reply = await channel.ask('load', body, Math.max(10_000, examination.requestMs))
    if (reply.kind === 'late') return verdict('loading was not done in time (does an `init` or an import wait?)')
    if (reply.kind === 'error') return verdict(`it could not be loaded into an AgentRuntime: ${reply.error}`)
    shape = reply.value
    return passed
  })
  if (loaded !== 'passed') return
  await examineShape(examination, shape)

  // An action that nobody declared is asked for among the real ones: only one who answers whatever is asked has it.
  const actions = specification.actions ?? []
  const canaryAt = random.below(actions.length + 1)
  for (let at = 0; at <= actions.length; at += 1) {
    if (at === canaryAt) await examineCanary(examination, shape)
    const action = actions[at]
    if (action && hasName(shape, 'actions', upperSnake(action.name))) await examineAction(examination, action)
  }
  for (const provider of specification.providers ?? []) await examineProvider(examination, provider, shape)
  for (const evaluator of specification.evaluators ?? []) await examineEvaluator(examination, evaluator.name, shape)
  await examineEnd(examination)
}

/** @param {unknown} shape @param {string} list @param {string} name */
function hasName(shape, list, name) {
  return records(shape, list).some((one) => field(one, 'name') === name)
}

/** @param {unknown} shape @param {string} list */
function names(shape, list) {
  return records(shape, list).map((one) => field(one, 'name')).filter((name) => typeof name === 'string')
}

/** @param {Examination} examination @param {unknown} shape */
async function examineShape({ specification, report }, shape) {
  await report.check(`is named ${specification.name}`, () => {
    const name = field(shape, 'name')
    return verdict(name === specification.name ? undefined : `its name is ${show(name)}`)
  })
  await report.check('has a description', () => {
    const text = field(shape, 'description')
    return verdict(typeof text === 'string' && text.trim() !== '' ? undefined : `its description is ${show(text)}`)
  })
  for (const { name } of specification.actions ?? []) {
    await report.check(`action ${upperSnake(name)} exists`, () =>
      verdict(nameProblem('action', name, names(shape, 'actions'), upperSnake, true)))
  }
  for (const { name } of specification.providers ?? []) {
    await report.check(`provider ${name} exists`, () =>
      verdict(nameProblem('provider', name, names(shape, 'providers'), upperSnake, false)))
  }
  for (const { name } of specification.evaluators ?? []) {
    await report.check(`evaluator ${name} exists`, () =>
      verdict(nameProblem('evaluator', name, names(shape, 'evaluators'), upperSnake, false)))
  }
  for (const service of specification.services ?? []) await examineService(report, service, shape)
  await report.check('brings no models', () => verdict(modelsProblem(shape)))
  await report.check('has nothing that was not asked for', () => verdict(surplusProblem(specification, shape)))
}

/** @param {import('./report.mjs').Report} report @param {Service} service @param {unknown} shape */
async function examineService(report, service, shape) {
  const services = records(shape, 'services')
  const types = services.map((one) => field(one, 'type')).filter((type) => typeof type === 'string')
  await report.check(`service ${service.name} exists`, () =>
    verdict(nameProblem('service', service.name, types, serviceKey, false)))
  const found = services.find((one) => serviceKey(String(field(one, 'type'))) === serviceKey(service.name))
  if (!found) return
  await report.check(`service ${service.name} starts`, () => {
    if (field(found, 'status') === 'registered' && field(found, 'instances') !== 0) return passed
    return verdict(`its status after initialize() is ${show(field(found, 'status'))}: ` +
      'static async start(runtime) must return an instance and must not throw')
  })
  await report.check(`service ${service.name} has stop()`, () =>
    verdict(texts(found, 'methods').includes('stop') ? undefined : 'the instance has no method stop'))
  for (const { name } of service.methods ?? []) {
    await report.check(`service ${service.name} has ${name}()`, () =>
      verdict(texts(found, 'methods').includes(name) ? undefined : `the instance has no method ${name}`))
  }
}

/** @param {unknown} shape @returns {string|undefined} */
function modelsProblem(shape) {
  const models = texts(shape, 'models')
  return models.length === 0 ? undefined : `it registers the models ${show(models)}, and so takes over the agent's own`
}

/** @param {Examination} examination @param {unknown} shape */
async function examineCanary({ random, channel, report, specification, requestMs, server }, shape) {
  const wanted = (specification.actions ?? []).map(({ name }) => upperSnake(name))
  const canary = drawCanary(random, new Set([...names(shape, 'actions'), ...wanted]))
  const like = (specification.actions ?? [])[0]
  const parameters = drawParameters(random, like?.parameters ?? {}, 0)
  server.serve(jsonAnswer({ [random.word(5)]: random.word(8) }))
  await report.check('an action that does not exist is not answered for', async () => {
    const validate = await channel.ask('validate', { name: canary, text: random.word(8) }, requestMs)
    const run = await channel.ask('run', { name: canary, parameters, text: random.word(8) }, requestMs)
    return verdict(validate.kind === 'value' || run.kind === 'value'
      ? 'the subject answers what it is asked for: it answered for an action that nobody wrote'
      : undefined)
  })
}

/** @param {Examination} examination @param {Provider} provider @param {unknown} shape */
async function examineProvider({ random, channel, server, report, settings, requestMs, declared }, provider, shape) {
  const key = upperSnake(provider.name)
  const name = names(shape, 'providers').find((one) => upperSnake(one) === key)
  if (name === undefined) return
  const { http } = provider
  /** @param {(value: unknown) => string|undefined} problem */
  const get = async (problem) => {
    const reply = await channel.ask('provider', { name }, requestMs)
    if (reply.kind === 'late') return `get gave no answer within ${requestMs} ms`
    return reply.kind === 'error' ? `get threw ${reply.error}` : problem(reply.value)
  }
  if (!http) {
    server.serve(jsonAnswer({ error: 'not found' }, 404))
    await report.check(`provider ${name} gives context`, async () => verdict(await get(contextProblem)))
    return
  }
  const expected = expectedRequest(http, {}, {}, settings)
  const foreign = foreignSettings(http, settings)
  const kinds = likelyKinds(http.result ?? '')
  for (const turn of [1, 2]) {
    await report.check(`provider ${name} gives the served value, draw ${turn}`, async () => {
      /** @type {string|undefined} */
      let first
      for (const kind of kinds.slice()) {
        const value = drawResult(random, kind)
        server.serve(jsonAnswer(buildAnswer(random, http.result ?? '', value)))
        /** @type {string|undefined} */
        let told
        const problem = await get((result) => {
          told = textProblem(http, result, value)
          return contextProblem(result) ?? servedProblem(field(result, 'data'), value)
        })
        const request = arrivedProblem(server.arrived, expected, declared) ??
          unaskedProblem(server.arrived, expected, foreign)
        if (problem === undefined || request !== undefined) {
          kinds.splice(0, kinds.length, kind)
          return verdict(request ?? problem ?? told)
        }
        first ??= problem
      }
      return verdict(first)
    })
  }
  for (const [what, answer] of failures()) {
    await report.check(`provider ${name} survives ${what}`, async () => {
      server.serve(answer)
      return verdict(await get(contextProblem) ?? unaskedProblem(server.arrived, expected, foreign))
    })
  }
}

/** @param {Examination} examination @param {string} wanted @param {unknown} shape */
async function examineEvaluator({ channel, random, report, server, requestMs }, wanted, shape) {
  const name = names(shape, 'evaluators').find((one) => upperSnake(one) === upperSnake(wanted))
  if (name === undefined) return
  server.serve(jsonAnswer({ error: 'not found' }, 404))
  await report.check(`evaluator ${name} runs`, async () => {
    const reply = await channel.ask('evaluator', { name, text: `${random.word(6)} ${random.word(6)}` }, requestMs)
    if (reply.kind === 'late') return verdict(`it gave no answer within ${requestMs} ms`)
    if (reply.kind === 'error') return verdict(`it threw ${reply.error}`)
    return verdict(typeof field(reply.value, 'valid') === 'boolean' ? undefined : 'validate did not return a boolean')
  })
}

/** @param {Examination} examination */
async function examineEnd({ channel, report, requestMs, specification }) {
  await report.check('still brings no models after it ran', async () => {
    const reply = await channel.ask('shape', {}, requestMs)
    return verdict(reply.kind === 'value' && isRecord(reply.value) ? modelsProblem(reply.value) : 'the shape is gone')
  })
  await report.check('still has nothing that was not asked for after it ran', async () => {
    const reply = await channel.ask('shape', {}, requestMs)
    return verdict(reply.kind === 'value' ? surplusProblem(specification, reply.value) : 'the shape is gone')
  })
  await report.check('stops', async () => {
    const reply = await channel.ask('stop', {}, requestMs)
    if (reply.kind === 'late') return verdict(`stop() of a service did not resolve within ${requestMs} ms`)
    return verdict(reply.kind === 'error' ? `stop() threw ${reply.error}` : undefined)
  })
  await report.check('the process ends', async () => {
    channel.tell({ op: 'exit' })
    const late = new Promise((resolve) => { setTimeout(resolve, 3000, true).unref() })
    const isLate = await Promise.race([channel.ended, late])
    return verdict(isLate ? 'it did not end within 3000 ms of being told to' : undefined)
  })
  await report.check('leaves no error unhandled', () =>
    verdict(channel.unhandled.length === 0 ? undefined : `unhandled: ${channel.unhandled.slice(0, 3).join('; ')}`))
}
