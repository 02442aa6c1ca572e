import type { IAgentRuntime } from '@elizaos/core'

/** Read one by one, so that the code itself says which variables it takes. */
const environment: Record<string, () => string | undefined> = {
  // READERS
}

/** A setting of the agent, else of the environment; undefined where neither has it. */
export function setting(runtime: IAgentRuntime, name: string): string | undefined {
  const value = runtime.getSetting(name) ?? environment[name]?.()
  const text = value === undefined || value === null ? '' : String(value)
  return text.trim() === '' ? undefined : text
}
