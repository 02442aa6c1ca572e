import type { IAgentRuntime } from '@elizaos/core'
import type { ModelFunction } from './api/model.js'
import { Auton8nError } from './errors.js'

const TEXT_LARGE = 'TEXT_LARGE'

/** Whether the agent has a model that can write code. */
export function hasRuntimeModel(runtime: IAgentRuntime): boolean {
  try {
    return runtime.getModel(TEXT_LARGE) !== undefined
  } catch {
    return false
  }
}

/** The agent's own model. Nothing of it is streamed into the chat, and none of its penalties spoil code. */
export function runtimeModel(runtime: IAgentRuntime): ModelFunction {
  return async ({ system, prompt, maxTokens, temperature }) => {
    if (!hasRuntimeModel(runtime)) {
      throw new Auton8nError(
        'AUTON8N_MODEL_FAILED',
        'The agent has no TEXT_LARGE model; add a model plugin such as @elizaos/plugin-openai, or set ' +
          'ANTHROPIC_API_KEY.',
      )
    }
    // It cannot be aborted; whoever calls this leaves the answer behind when it is no longer wanted.
    return await runtime.useModel(TEXT_LARGE, {
      prompt: system ? `${system}\n\n${prompt}` : prompt,
      maxTokens,
      temperature,
      frequencyPenalty: 0,
      presencePenalty: 0,
      stream: false,
    })
  }
}
