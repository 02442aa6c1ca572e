import type { Provider } from '@elizaos/core'
import { dataOf, statusText, visible } from '../actions/jobs.js'
import { endText } from '../announcement.js'
import { isFinal } from '../api/snapshot.js'
import { defineProvider } from './define.js'

const LISTED = 10

const status = defineProvider({
  name: 'plugin_creation_status',
  description: 'How the plugin creations of this user and room stand',
  get: async (service, runtime, message) => {
    const jobs = visible(await service.getAllJobs(), runtime, message)
    const live = jobs.filter((job) => !isFinal(job.status)).length
    const lines = jobs.slice(0, LISTED).map((job) => `- ${isFinal(job.status) ? endText(job) : statusText(job)}`)
    return {
      text: jobs.length === 0 ? 'No plugin creation was asked for here.' : `Plugin creations:\n${lines.join('\n')}`,
      values: { pluginCreationsUnderWay: live },
      data: { available: true, jobs: jobs.slice(0, LISTED).map(dataOf) },
    }
  },
})

const capabilities = defineProvider({
  name: 'plugin_creation_capabilities',
  description: 'What plugin creation can do in this agent, and what is missing',
  get: async (service) => {
    const health = await service.getHealthStatus()
    const missing = health.reasons.map(({ code, message }) => `- ${message} (${code})`)
    return {
      text: [
        'Plugins can be created from a JSON specification or a description, with actions, providers, services and ' +
          'evaluators. Each is scanned for secrets, type-checked, linted, built, tested and booted in a sandbox.',
        `At most ${service.settings.rateLimit} creations per user and hour. Loading into this agent is ` +
          `${service.settings.allowLoad ? 'allowed for owners and admins' : 'off'}.`,
        ...(missing.length > 0 ? [`What is missing:\n${missing.join('\n')}`] : []),
      ].join('\n'),
      values: { pluginCreationStatus: health.status },
      data: { available: true, health, rateLimit: service.settings.rateLimit, allowLoad: service.settings.allowLoad },
    }
  },
})

const registry = defineProvider({
  name: 'plugin_registry',
  description: 'The plugins that were created here and which of them are loaded',
  get: async (service, runtime, message) => {
    const done = visible(await service.getAllJobs(), runtime, message).filter(({ status }) => status === 'completed')
    const loaded = service.loader.list()
    const lines = done.slice(0, LISTED).map((job) => {
      const live = loaded.some(({ jobId }) => jobId === job.id) ? ', loaded' : ''
      return `- ${job.name} ${job.result?.version ?? ''} (job ${job.id}${live})`
    })
    return {
      text: done.length === 0 ? 'No plugins were created here yet.' : `Created plugins:\n${lines.join('\n')}`,
      values: { createdPluginCount: done.length },
      data: { available: true, plugins: done.slice(0, LISTED).map(dataOf), loaded },
    }
  },
})

const exists = defineProvider({
  name: 'plugin_exists_check',
  description: 'Whether a plugin that the message names is loaded, created or under way already',
  get: async (service, runtime, message) => {
    const text = message.content?.text ?? ''
    const names = [...text.matchAll(/(?:@[a-z0-9][\w.-]*\/)?plugin-[a-z0-9][a-z0-9-]*/gi)].map(([name]) => name)
    if (names.length === 0) {
      return { text: 'The message names no plugin.', values: { pluginExists: false }, data: { available: true } }
    }
    const jobs = visible(await service.getAllJobs(), runtime, message)
    const found = [...new Set(names)].slice(0, 5).map((name) => {
      const short = name.replace(/^@[^/]+\//, '').replace(/^plugin-/, '')
      const live = runtime.plugins.some((plugin) => [name, short, `plugin-${short}`].includes(plugin.name))
      const job = jobs.find((candidate) => candidate.name === name || candidate.name.endsWith(`/plugin-${short}`))
      return { name, loaded: live, job: job ? dataOf(job) : undefined }
    })
    const lines = found.map(({ name, loaded, job }) => {
      const made = job ? `a creation is ${String(job.status)} (job ${String(job.jobId)})` : 'not created'
      return `- ${name}: ${loaded ? 'loaded in this agent' : 'not loaded'}, ${made}`
    })
    return {
      text: `Plugins named in the message:\n${lines.join('\n')}`,
      values: { pluginExists: found.some(({ loaded, job }) => loaded || job !== undefined) },
      data: { available: true, plugins: found },
    }
  },
})

/** Every provider of the plugin. */
export const providers: Provider[] = [status, capabilities, registry, exists]
