import type {
  Action,
  ActionExample,
  ActionResult,
  HandlerCallback,
  HandlerOptions,
  IAgentRuntime,
  Memory,
  State,
} from '@elizaos/core'
import { Auton8nError } from '../errors.js'
import { PluginCreationService, serviceOf } from '../service.js'

/** A value that an action takes, in the words of core 1.7; 2.x gets the same as a list. */
export interface ActionParameter {
  type: 'string' | 'object' | 'number' | 'boolean'
  description: string
  required?: boolean
}

/** What an action works on. */
export interface ActionCall {
  runtime: IAgentRuntime
  message: Memory
  service: PluginCreationService
  /** The text of the message. */
  text: string
  /** The value of a parameter, where the model or the caller gave it. */
  parameter(name: string): unknown
}

/** What an action did: the text goes to the user, the data to later actions. Neither holds generated source. */
export interface Outcome {
  text: string
  data?: Record<string, unknown>
}

/** An action before it gets its handler. */
export interface ActionDefinition {
  name: string
  similes: string[]
  description: string
  parameters: Record<string, ActionParameter>
  examples: [question: string, answer: string][]
  /** Whether it is offered; the service is there already. */
  offered?(service: PluginCreationService): boolean
  run(call: ActionCall): Promise<Outcome>
}

const SECRET_TEXT =
  'There is a secret, such as an API key, in what was asked for, so nothing was stored and no model was asked. ' +
  'Take it out, change it if it is real, and name an environment variable in its place.'

/** An action whose handler never throws and always says how it went, to the user and in its result. */
export function defineAction(definition: ActionDefinition): Action {
  const { name, similes, description, parameters, examples } = definition
  return {
    name,
    similes,
    description,
    parameters,
    // A job goes on in the background: there is nothing to continue with in this turn.
    suppressPostActionContinuation: true,
    examples: examples.map((example) => exampleOf(name, example)),
    validate: async (runtime) => {
      try {
        const service = runtime.getService<PluginCreationService>(PluginCreationService.serviceType)
        return service ? (definition.offered?.(service) ?? true) : false
      } catch {
        return false
      }
    },
    handler: async (runtime, message, state, options, callback) => {
      const result = await resultOf(definition, runtime, message, state, options)
      await tell(callback, name, message, result)
      return result
    },
  }
}

async function resultOf(
  definition: ActionDefinition,
  runtime: IAgentRuntime,
  message: Memory | null | undefined,
  state: State | undefined,
  options: HandlerOptions | undefined,
): Promise<ActionResult & { text: string }> {
  const actionName = definition.name
  try {
    if (!message) throw new Auton8nError('AUTON8N_OPTION_INVALID', `${actionName} needs the message that asks for it.`)
    const given = parametersOf(state, options)
    const { text, data } = await definition.run({
      runtime,
      message,
      service: serviceOf(runtime),
      text: typeof message?.content?.text === 'string' ? message.content.text : '',
      parameter: (name) => given[name],
    })
    return { success: true, text, data: { actionName, ...data } }
  } catch (error) {
    const { code, message: reason, details } = failureOf(error)
    const text = code === 'AUTON8N_SECRET_FOUND' ? SECRET_TEXT : reason
    return { success: false, text, error: code, data: { actionName, code, ...details } }
  }
}

/** 2.x gives parameters in the options, 1.7 in the state. */
function parametersOf(state: State | undefined, options: HandlerOptions | undefined): Record<string, unknown> {
  const given = options?.parameters ?? (state?.data as Record<string, unknown> | undefined)?.actionParams
  return typeof given === 'object' && given !== null ? (given as Record<string, unknown>) : {}
}

/** Of the details only the problems of a specification are passed on, cut to what a chat can hold. */
function failureOf(error: unknown): { code: string; message: string; details: Record<string, unknown> } {
  if (!(error instanceof Auton8nError)) {
    const message = error instanceof Error ? error.message : 'something went wrong'
    return { code: 'AUTON8N_INTERNAL', message: `That did not work: ${message.slice(0, 300)}`, details: {} }
  }
  const problems = (error.details as { problems?: unknown } | undefined)?.problems
  const told = Array.isArray(problems) && error.code !== 'AUTON8N_SECRET_FOUND'
  const details = told ? { problems: problems.slice(0, 10) } : {}
  return { code: error.code, message: error.message.slice(0, 1500), details }
}

async function tell(
  callback: HandlerCallback | undefined,
  name: string,
  message: Memory | null | undefined,
  result: { text: string },
): Promise<void> {
  try {
    const source = message?.content?.source
    await callback?.({ text: result.text, actions: [name], ...(source ? { source } : {}) })
  } catch {
    // The text is in the result as well; a broken adapter is no reason to fail the action.
  }
}

function exampleOf(name: string, [question, answer]: [string, string]): ActionExample[] {
  return [
    { name: '{{name1}}', content: { text: question } },
    { name: '{{name2}}', content: { text: answer, actions: [name] } },
  ]
}
