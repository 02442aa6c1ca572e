import { askerOf } from '../announcement.js'
import type { PluginSpecification } from '../api/specification.js'
import { Auton8nError } from '../errors.js'
import { defineAction, type ActionCall, type Outcome } from './define.js'

const WORDS_NEEDED = 3

/** Makes a plugin of a specification, or of words where there is none. */
export const createPluginAction = defineAction({
  name: 'CREATE_PLUGIN',
  similes: ['BUILD_PLUGIN', 'GENERATE_PLUGIN', 'MAKE_PLUGIN', 'DEVELOP_PLUGIN'],
  description:
    'Creates a new ElizaOS plugin from a JSON specification (or from a description where there is none): generates ' +
    'it, checks it in a sandbox and reports every check. Answers at once with the id of a job that runs on.',
  parameters: {
    specification: { type: 'object', description: 'The specification: name, description, actions, providers …' },
    description: { type: 'string', description: 'What the plugin is to do, where there is no specification' },
  },
  examples: [
    [
      'Create a plugin: {"name":"@acme/plugin-weather","description":"Weather","actions":[{"name":"GET_WEATHER",' +
        '"description":"Tells the weather of a city"}]}',
      'I started creating @acme/plugin-weather.',
    ],
  ],
  run: (call) => {
    const specification = specificationOf(call)
    return specification ? fromSpecification(call, specification) : fromDescription(call)
  },
})

/** Makes a plugin of words. */
export const createPluginFromDescriptionAction = defineAction({
  name: 'CREATE_PLUGIN_FROM_DESCRIPTION',
  similes: ['DESCRIBE_PLUGIN', 'PLUGIN_FROM_DESCRIPTION', 'PLUGIN_FROM_IDEA'],
  description:
    'Creates a new ElizaOS plugin from a description in plain words: a model makes the specification of it, then it ' +
    'is generated, checked in a sandbox and reported on. Answers at once with the id of a job that runs on.',
  parameters: {
    description: { type: 'string', description: 'What the plugin is to do, in plain words', required: true },
  },
  examples: [
    [
      'Create a plugin that tells the weather of a city',
      'I started creating a plugin from your description.',
    ],
  ],
  run: fromDescription,
})

async function fromSpecification(call: ActionCall, specification: object): Promise<Outcome> {
  const asker = askerOf(call.runtime, call.message)
  const jobId = await call.service.createPlugin(specification as PluginSpecification, undefined, { asker })
  const { name } = specification as { name?: unknown }
  return started(jobId, typeof name === 'string' ? name : 'the plugin')
}

async function fromDescription(call: ActionCall): Promise<Outcome> {
  const given = call.parameter('description') ?? call.parameter('idea')
  const description = (typeof given === 'string' ? given : call.text).trim()
  if (description.split(/\s+/).length < WORDS_NEEDED) {
    throw new Auton8nError(
      'AUTON8N_OPTION_INVALID',
      'Say in a sentence what the plugin is to do, or send a specification as JSON.',
    )
  }
  const asker = askerOf(call.runtime, call.message)
  const jobId = await call.service.createPluginFromDescription(description, { asker })
  return started(jobId, 'a plugin from your description')
}

function started(jobId: string, what: string): Outcome {
  return {
    text:
      `I started creating ${what}. The job is ${jobId}; I will say here how it ended, and you can ask for its status ` +
      'or cancel it.',
    data: { jobId },
  }
}

/** A specification given as a parameter, in a fenced block or somewhere in the text. */
function specificationOf({ parameter, text }: ActionCall): object | undefined {
  const given = parameter('specification')
  if (typeof given === 'object' && given !== null) return given
  const source = typeof given === 'string' ? given : text
  const fenced = /```(?:json)?\s*([\s\S]*?)```/.exec(source)?.[1]
  const candidates = [fenced, source.slice(source.indexOf('{'), source.lastIndexOf('}') + 1)]
  for (const candidate of candidates) {
    if (!candidate?.trim().startsWith('{')) continue
    try {
      return JSON.parse(candidate) as object
    } catch (cause) {
      if (!/"(?:name|actions|description)"\s*:/.test(candidate)) continue
      const reason = cause instanceof Error ? cause.message : ''
      throw new Auton8nError('AUTON8N_SPECIFICATION_INVALID', `The specification is not JSON: ${reason}.`, { cause })
    }
  }
  return undefined
}
