import type { IAgentRuntime, Memory, Provider, ProviderResult } from '@elizaos/core'
import { PluginCreationService } from '../service.js'

/** A provider that takes longer would abort a whole turn in multi-step mode (milliseconds). */
const LONGEST = 400

/** A provider before it is made safe. */
export interface ProviderDefinition {
  name: string
  description: string
  get(service: PluginCreationService, runtime: IAgentRuntime, message: Memory): Promise<ProviderResult>
}

/** A provider that runs only when it is asked for, never throws and is never slow. */
export function defineProvider({ name, description, get }: ProviderDefinition): Provider {
  return {
    name,
    description,
    dynamic: true,
    get: async (runtime, message) => {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<ProviderResult>((resolve) => {
        timer = setTimeout(() => resolve(nothing('The engine did not answer in time.')), LONGEST)
      })
      try {
        const service = runtime.getService<PluginCreationService>(PluginCreationService.serviceType)
        if (!service) return nothing('The plugin creation service has not started yet.')
        return await Promise.race([get(service, runtime, message), late])
      } catch (error) {
        return nothing(error instanceof Error ? error.message : 'Not available.')
      } finally {
        clearTimeout(timer)
      }
    },
  }
}

function nothing(reason: string): ProviderResult {
  return { text: `Plugin creation: ${reason.slice(0, 500)}`, values: {}, data: { available: false } }
}
