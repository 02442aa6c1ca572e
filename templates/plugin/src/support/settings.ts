import type { IAgentRuntime } from '@elizaos/core'

/** A setting of the agent, else of the environment; undefined where neither has it. */
export function setting(runtime: IAgentRuntime, name: string): string | undefined {
  const value = runtime.getSetting(name) ?? process.env[name]
  const text = value === undefined || value === null ? '' : String(value)
  return text.trim() === '' ? undefined : text
}
