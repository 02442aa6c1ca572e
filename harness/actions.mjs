// How one action is examined.
import { failureProblem, field, mentions, resultProblem, show, successProblem, upperSnake } from './assertions.mjs'
import { buildAnswer, drawParameters, drawResult, drawWrongParameters, likelyKinds } from './draw.mjs'
import { arrivedProblem, expectedRequest, foreignSettings, hostParameters, unaskedProblem } from './expectation.mjs'
import { passed, verdict } from './report.mjs'
import { failures, jsonAnswer } from './server.mjs'
import { failureSpokenProblem, successSpokenProblem, textProblem } from './spoken.mjs'

/**
 * Runs the action with these values and hands its result, and all that it answered, to the assertion; answers what is
 * wrong.
 * @typedef {(values: Record<string, unknown>, problem: (result: unknown, answer: unknown) => string|undefined) =>
 *   Promise<string|undefined>} Run
 */

/** @param {import('./examination.mjs').Examination} examination @param {import('./examination.mjs').Action} action */
export async function examineAction(examination, action) {
  const { random, channel, report, requestMs } = examination
  const name = upperSnake(action.name)
  const parameters = action.parameters ?? {}
  const text = `${action.description ?? name}`.slice(0, 500)

  await report.check(`action ${name}: validate answers true to the description`, async () => {
    const reply = await channel.ask('validate', { name, text }, requestMs)
    if (reply.kind === 'late') return verdict(`validate gave no answer within ${requestMs} ms`)
    if (reply.kind === 'error') return verdict(`validate threw ${reply.error}`)
    return verdict(reply.value === true ? undefined
      : `validate returned ${show(reply.value)} for the action's own description, with every setting there`)
  })

  /** @type {Run} */
  const run = async (values, problem) => {
    const reply = await channel.ask('run', { name, parameters: values, text }, requestMs)
    if (reply.kind === 'late') return `the handler gave no answer within ${requestMs} ms`
    if (reply.kind === 'error') return `the handler threw ${reply.error}`
    return problem(field(reply.value, 'result'), reply.value)
  }

  if (action.http) await examineHttp(examination, action, name, run)
  else await examineModel(examination, name, parameters, run)

  for (const { what, values } of drawWrongParameters(random, parameters)) {
    await report.check(`action ${name}: refuses a call ${what}`, async () => {
      examination.server.serve(jsonAnswer({ [random.word(5)]: random.word(8) }))
      const problem = await run(values, (result, answer) => failureProblem(result, name) ??
        (action.http ? failureSpokenProblem(answer) : undefined))
      if (problem !== undefined) return verdict(problem)
      if (!action.http) return passed
      const [first] = examination.server.arrived
      const sent = examination.server.arrived.length
      return verdict(first ? `it sent ${sent} requests to ${show(first.origin)} all the same` : undefined)
    })
  }
}

/**
 * @param {import('./examination.mjs').Examination} examination @param {import('./examination.mjs').Action} action
 * @param {string} name
 * @param {Run} run
 */
async function examineHttp({ random, server, report, settings, declared }, action, name, run) {
  const http = /** @type {import('./expectation.mjs').Http} */ (action.http)
  const parameters = action.parameters ?? {}
  const path = http.result ?? ''
  const kinds = likelyKinds(path)
  const plain = hostParameters(http)
  const foreign = foreignSettings(http, settings)
  for (const turn of [0, 1]) {
    await report.check(`action ${name}: returns the served value, draw ${turn + 1}`, async () => {
      const values = drawParameters(random, parameters, turn, plain)
      const expected = expectedRequest(http, parameters, values, settings)
      /** @type {string|undefined} */
      let first
      for (const kind of kinds.slice()) {
        const value = drawResult(random, kind)
        server.serve(jsonAnswer(buildAnswer(random, path, value)))
        /** @type {unknown} */
        let result
        /** @type {string|undefined} */
        let told
        const problem = await run(values, (given, answer) => {
          result = given
          told = textProblem(http, given, value) ?? successSpokenProblem(http, answer, value)
          return successProblem(given, name, value)
        })
        const request = arrivedProblem(server.arrived, expected, declared) ??
          unaskedProblem(server.arrived, expected, foreign)
        if (request !== undefined) {
          const silent = problem !== undefined && server.arrived.length === 0
          return verdict(silent ? `${problem}; ${request}` : request)
        }
        if (problem === undefined) {
          kinds.splice(0, kinds.length, kind)
          return verdict(told ?? assertionProblem(random, result, name, kind))
        }
        first ??= problem
      }
      return verdict(first)
    })
  }
  for (const [what, answer] of failures()) {
    await report.check(`action ${name}: answers success: false to ${what}`, async () => {
      server.serve(answer)
      const values = drawParameters(random, parameters, 0, plain)
      const problem = await run(values, (result, all) => failureProblem(result, name) ?? failureSpokenProblem(all))
      const expected = expectedRequest(http, parameters, values, settings)
      return verdict(problem ?? unaskedProblem(server.arrived, expected, foreign))
    })
  }
}

/**
 * The assertion that has just passed must fail against a value that was never served; otherwise it proves nothing.
 * @param {import('./draw.mjs').Random} random @param {unknown} result @param {string} name
 * @param {import('./draw.mjs').ResultKind} kind @returns {string|undefined}
 */
function assertionProblem(random, result, name, kind) {
  if (successProblem(result, name, drawResult(random, kind)) !== undefined) return undefined
  return 'the subject answers what it is asked for: its result equals a value that was never served'
}

/**
 * @param {import('./examination.mjs').Examination} examination @param {string} name
 * @param {Record<string, import('./draw.mjs').Parameter>} parameters
 * @param {Run} run
 */
async function examineModel({ random, channel, server, report }, name, parameters, run) {
  let carried = false
  for (const turn of [0, 1]) {
    await report.check(`action ${name}: runs, draw ${turn + 1}`, async () => {
      server.serve(jsonAnswer({ error: 'not found' }, 404))
      channel.spoken = []
      const problem = await run(drawParameters(random, parameters, turn), (result) => {
        carried = field(result, 'success') === true && mentions(result, channel.spoken)
        return resultProblem(result, name)
      })
      return problem === undefined ? passed : verdict(problem)
    })
  }
  const missing = carried ? '' : '; the answer of the scripted model did not turn up in the result'
  const detail = `behaviour: not verified (carried out by the agent's model)${missing}`
  report.add(`behaviour of ${name}`, 'skipped', detail)
}
