import type { IAgentRuntime, Service } from '@elizaos/core'

/**
 * What core's `Service` is at run time. Core itself is imported as types only, so that the package loads without it;
 * core asks a service for its static `serviceType` and `start` and never for its class.
 */
class Base {
  static serviceType = ''
  protected runtime: IAgentRuntime | undefined

  constructor(runtime?: IAgentRuntime) {
    this.runtime = runtime
  }
}

export const ServiceBase = Base as unknown as typeof Service
