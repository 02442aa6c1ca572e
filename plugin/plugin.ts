import type { IAgentRuntime, Plugin, TestSuite } from '@elizaos/core'
import { actions, useListedParameters } from './actions/index.js'
import { providers } from './providers/index.js'
import { routes } from './routes/index.js'
import { PluginCreationService } from './service.js'

const tests: TestSuite[] = [
  {
    name: 'auton8n',
    tests: [
      {
        name: 'the service starts and says how it is',
        fn: async (runtime: IAgentRuntime) => {
          await runtime.getServiceLoadPromise('plugin_creation')
          const service = runtime.getService<PluginCreationService>(PluginCreationService.serviceType)
          if (!service) throw new Error('the service plugin_creation is not there')
          const { status } = await service.getHealthStatus()
          if (status !== 'ok' && status !== 'degraded') throw new Error(`the health is '${String(status)}'`)
        },
      },
    ],
  },
]

/** The ElizaOS plugin. */
export const auton8nPlugin: Plugin = {
  name: 'auton8n',
  description: 'Creates ElizaOS plugins on request: generated, scanned, built and tested in a sandbox, with a report',
  init: async (_config, runtime) => {
    if (typeof (runtime as { unloadPlugin?: unknown }).unloadPlugin === 'function') useListedParameters()
  },
  services: [PluginCreationService],
  actions,
  providers,
  routes,
  tests,
}
