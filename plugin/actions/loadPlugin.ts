import type { LoadedPlugin } from '../pluginLoader.js'
import { Auton8nError } from '../errors.js'
import { isOwnerOrAdmin } from '../roles.js'
import { defineAction, type ActionCall } from './define.js'
import { jobToLoad, whoseText } from './jobs.js'

/** Loads a created plugin into the live agent. */
export const loadAction = defineAction({
  name: 'LOAD_CREATED_PLUGIN',
  similes: ['INSTALL_CREATED_PLUGIN', 'ACTIVATE_CREATED_PLUGIN', 'USE_CREATED_PLUGIN'],
  description:
    'Loads a created plugin that passed its checks into this agent, where it then has all of the rights of the ' +
    'agent. Only for an owner or admin, and only where AUTON8N_ALLOW_LOAD is set.',
  parameters: { jobId: { type: 'string', description: 'The id of the job that made it' } },
  examples: [['Load the weather plugin that you made', 'I loaded @acme/plugin-weather.']],
  offered: (service) => service.settings.allowLoad,
  run: async (call) => {
    await refuseStrangers(call)
    const job = await jobToLoad(call)
    const loaded = await call.service.loader.load(job)
    const text =
      `I loaded ${loaded.name} of job ${job.id}, ${whoseText(job, call.message)}. It has the agent's rights and adds ` +
      `${partsOf(loaded)}.`
    return { text, data: { ...loaded } }
  },
})

/** Takes a created plugin out of the live agent. */
export const removeAction = defineAction({
  name: 'REMOVE_LOADED_PLUGIN',
  similes: ['DEACTIVATE_CREATED_PLUGIN', 'TAKE_OUT_CREATED_PLUGIN'],
  description: 'Takes a created plugin, loaded before, out of this agent. Only for an owner or admin.',
  parameters: { name: { type: 'string', description: 'The name of the loaded plugin' } },
  examples: [['Take the weather plugin out again', 'I took @acme/plugin-weather out.']],
  offered: (service) => service.settings.allowLoad,
  run: async (call) => {
    await refuseStrangers(call)
    const loaded = call.service.loader.list()
    const given = call.parameter('name')
    const words = typeof given === 'string' ? given : call.text
    const meant = loaded.find(({ name }) => words.includes(name)) ?? (loaded.length === 1 ? loaded[0] : undefined)
    const removed = await call.service.loader.unload(meant?.name ?? words.slice(0, 100))
    return { text: `I took ${removed.name} out again. Its code stays in memory until a restart.`, data: { ...removed } }
  },
})

async function refuseStrangers({ runtime, message, service }: ActionCall): Promise<void> {
  if (!service.settings.allowLoad) {
    throw new Auton8nError(
      'AUTON8N_LOAD_REFUSED',
      'Loading created plugins into the agent is off. An operator turns it on with AUTON8N_ALLOW_LOAD=true; without ' +
        'it, install the tarball as usual.',
    )
  }
  if (!(await isOwnerOrAdmin(runtime, message))) {
    throw new Auton8nError('AUTON8N_LOAD_REFUSED', 'Only an owner or admin of this world may load or remove plugins.')
  }
}

function partsOf(loaded: LoadedPlugin): string {
  const parts = (['actions', 'providers', 'services', 'evaluators', 'routes'] as const)
    .filter((kind) => loaded[kind].length > 0)
    .map((kind) => `${kind} ${loaded[kind].join(', ')}`)
  return parts.join('; ') || 'nothing'
}
