import type { PluginSpecification } from '../../plugin/index.js'

/** The specification of a small plugin. */
export const greetingSpecification: PluginSpecification = {
  name: '@acme/plugin-greeting',
  description: 'Greets people by their name',
  actions: [
    {
      name: 'GREET_PERSON',
      description: 'Greets a person by name',
      parameters: { name: { type: 'string', description: 'Whom to greet', required: true } },
    },
  ],
}

/** What a model that does its work well answers to it. */
export const greetingFiles: Record<string, string> = {
  'src/index.ts': `import type { Plugin } from '@elizaos/core'
import { greetPerson } from './greetPerson.js'

const plugin: Plugin = {
  name: '@acme/plugin-greeting',
  description: 'Greets people by their name',
  actions: [greetPerson],
}

export default plugin
`,
  'src/greetPerson.ts': `import type { Action, ActionResult, HandlerCallback, HandlerOptions } from '@elizaos/core'
import type { IAgentRuntime, Memory, State } from '@elizaos/core'

const NAME = 'GREET_PERSON'

function givenIn(options: HandlerOptions | undefined, state: State | undefined): Record<string, unknown> {
  const given: unknown = options?.['parameters'] ?? state?.data?.['actionParams']
  return typeof given === 'object' && given !== null ? (given as Record<string, unknown>) : {}
}

function failure(text: string): ActionResult {
  return { success: false, text, error: text, data: { actionName: NAME } }
}

export const greetPerson: Action = {
  name: NAME,
  similes: ['SAY_HELLO_TO'],
  description: 'Greets a person by name',
  parameters: { name: { type: 'string', description: 'Whom to greet', required: true } },
  examples: [],
  validate: async () => true,
  handler: async (
    _runtime: IAgentRuntime,
    _message: Memory,
    state?: State,
    options?: HandlerOptions,
    callback?: HandlerCallback,
  ): Promise<ActionResult> => {
    const { name } = givenIn(options, state)
    if (typeof name !== 'string' || name === '') return failure('Say whom to greet: the parameter name is a text.')
    const text = \`Hello, \${name}!\`
    try {
      await callback?.({ text, actions: [NAME] })
    } catch {
      return failure('The greeting could not be sent.')
    }
    return { success: true, text, data: { actionName: NAME, result: text, parameters: { name } } }
  },
}
`,
  '__tests__/index.test.ts': `import type { IAgentRuntime, Memory } from '@elizaos/core'
import { describe, expect, it } from 'vitest'
import { greetPerson } from '../src/greetPerson.js'
import plugin from '../src/index.js'

const runtime = {} as IAgentRuntime
const message = { content: { text: '' } } as Memory

describe('GREET_PERSON', () => {
  it('is part of the plugin', () => {
    expect(plugin.actions?.map((action) => action.name)).toEqual(['GREET_PERSON'])
  })

  it('greets by name', async () => {
    const result = await greetPerson.handler(runtime, message, undefined, { parameters: { name: 'Ann' } })
    expect(result?.success).toBe(true)
    expect(result?.text).toBe('Hello, Ann!')
  })

  it('refuses a name that is no text', async () => {
    const result = await greetPerson.handler(runtime, message, undefined, { parameters: { name: 7 } })
    expect(result?.success).toBe(false)
  })
})
`,
}
