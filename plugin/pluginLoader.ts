import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { IAgentRuntime, Plugin, Service } from '@elizaos/core'
import type { CreationReport, JobSnapshot } from './api/creation.js'
import { Auton8nError } from './errors.js'

const ENTRY = 'dist/index.js'
const SERVICE_WAIT = 15_000

/** What a loaded plugin put into the agent. */
export interface LoadedPlugin {
  name: string
  jobId: string
  actions: string[]
  providers: string[]
  services: string[]
  evaluators: string[]
  routes: string[]
}

/** What only the class of 1.7 or only 2.x has. */
interface RuntimeExtras {
  unloadPlugin?(name: string): Promise<unknown>
  getServiceRegistrationStatus?(type: string): string
}

/** Loads created plugins into the live agent, where they have all of its rights, and takes them out again. */
export class PluginLoader {
  readonly #runtime: IAgentRuntime
  readonly #loaded = new Map<string, { plugin: Plugin; about: LoadedPlugin }>()

  constructor(runtime: IAgentRuntime) {
    this.#runtime = runtime
  }

  /** What is loaded. */
  list(): LoadedPlugin[] {
    return [...this.#loaded.values()].map(({ about }) => about)
  }

  /** Loads the plugin of a job that passed its checks; takes it out again where it cannot start. */
  async load(job: JobSnapshot): Promise<LoadedPlugin> {
    if (job.status !== 'completed' || !job.result || job.result.report.verdict !== 'passed') {
      throw refused('AUTON8N_JOB_STATE', `Job ${job.id} has no plugin that passed its checks, so nothing is loaded`)
    }
    const plugin = await importPlugin(job.result.directory, job.id, job.result.report.files)
    this.#refuseClashes(plugin)
    const before = new Set(this.#runtime.plugins)
    try {
      await this.#runtime.registerPlugin(plugin)
      await this.#servicesStarted(plugin)
    } catch (error) {
      if (!before.has(plugin)) await this.#remove(plugin)
      const reason = error instanceof Error ? error.message : String(error)
      throw new Auton8nError('AUTON8N_CHECKS_FAILED', `${plugin.name} could not start and was taken out: ${reason}`, {
        cause: error,
      })
    }
    const about = describe(plugin, job.id)
    this.#loaded.set(plugin.name, { plugin, about })
    return about
  }

  /** Takes a plugin out that `load` put in. */
  async unload(name: string): Promise<LoadedPlugin> {
    const entry = this.#loaded.get(name)
    if (!entry) {
      const names = [...this.#loaded.keys()].join(', ') || 'none'
      throw refused('AUTON8N_JOB_NOT_FOUND', `No created plugin '${name}' is loaded; loaded are: ${names}`)
    }
    await this.#remove(entry.plugin)
    this.#loaded.delete(name)
    return entry.about
  }

  #refuseClashes(plugin: Plugin): void {
    const runtime = this.#runtime
    if (runtime.plugins.some(({ name }) => name === plugin.name)) {
      throw refused('AUTON8N_JOB_STATE', `A plugin named '${plugin.name}' is loaded already; take it out first`)
    }
    if (plugin.models || plugin.adapter) {
      throw refused('AUTON8N_CHECKS_FAILED', `'${plugin.name}' would replace the agent's models or its database`)
    }
    const types = (plugin.services ?? []).map(({ serviceType }) => serviceType)
    const clashes = [
      ...common(plugin.actions, runtime.actions),
      ...common(plugin.providers, runtime.providers),
      ...common(plugin.evaluators, runtime.evaluators),
      ...types.filter((type) => runtime.hasService(type)),
    ]
    if (clashes.length > 0) {
      throw refused('AUTON8N_JOB_STATE', `The agent has these already, so nothing is loaded: ${clashes.join(', ')}`)
    }
  }

  async #servicesStarted(plugin: Plugin): Promise<void> {
    const { getServiceRegistrationStatus } = this.#runtime as RuntimeExtras
    const statusOf = (type: string): string =>
      getServiceRegistrationStatus?.call(this.#runtime, type) ??
      (this.#runtime.hasService(type) ? 'registered' : 'pending')
    const end = Date.now() + SERVICE_WAIT
    for (const { serviceType } of plugin.services ?? []) {
      for (let status = statusOf(serviceType); status !== 'registered'; status = statusOf(serviceType)) {
        if (status === 'failed') throw new Error(`its service '${serviceType}' did not start`)
        if (Date.now() > end) throw new Error(`its service '${serviceType}' did not start within ${SERVICE_WAIT} ms`)
        await new Promise((wake) => setTimeout(wake, 25))
      }
    }
  }

  async #remove(plugin: Plugin): Promise<void> {
    const runtime = this.#runtime
    const { unloadPlugin } = runtime as RuntimeExtras
    if (unloadPlugin) {
      await unloadPlugin.call(runtime, plugin.name)
      return
    }
    drop(runtime.actions, (action) => plugin.actions?.includes(action) ?? false)
    drop(runtime.providers, (provider) => plugin.providers?.includes(provider) ?? false)
    drop(runtime.evaluators, (evaluator) => plugin.evaluators?.includes(evaluator) ?? false)
    drop(runtime.routes, ({ path }) => path.startsWith(`/${plugin.name}/`))
    for (const [name, handlers] of Object.entries(plugin.events ?? {})) {
      const live = (runtime.events as Record<string, unknown[] | undefined>)[name]
      if (live) drop(live, (handler) => (handlers as unknown[]).includes(handler))
    }
    for (const { serviceType } of plugin.services ?? []) await this.#stopService(serviceType)
    drop(runtime.plugins, (other) => other === plugin)
    runtime.stateCache.clear()
  }

  async #stopService(type: string): Promise<void> {
    const services = this.#runtime.services as Map<string, Service[]>
    for (const service of services.get(type) ?? []) {
      try {
        await service.stop()
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        this.#runtime.logger.warn({ src: 'plugin:auton8n', service: type, reason }, 'A service did not stop cleanly')
      }
    }
    services.delete(type)
  }
}

async function importPlugin(directory: string, jobId: string, files: CreationReport['files']): Promise<Plugin> {
  const manifest = JSON.parse((await readChecked(directory, 'package.json', files)).toString('utf8')) as {
    main?: unknown
  }
  const main = resolve(directory, typeof manifest.main === 'string' ? manifest.main : ENTRY)
  if (!main.startsWith(resolve(directory) + sep)) {
    throw refused('AUTON8N_PATH_REFUSED', 'The entry of the plugin lies outside of its folder')
  }
  await readChecked(directory, relative(resolve(directory), main).split(sep).join('/'), files)
  // Modules are cached by address, so each job has an address of its own.
  const module = (await import(`${pathToFileURL(main).href}?job=${encodeURIComponent(jobId)}`)) as { default?: Plugin }
  const plugin = module.default
  if (typeof plugin?.name !== 'string' || plugin.name === '') {
    throw refused('AUTON8N_CHECKS_FAILED', 'The default export is not a plugin')
  }
  return plugin
}

/** A file as it was checked; what was changed since then is not loaded. */
async function readChecked(directory: string, path: string, files: CreationReport['files']): Promise<Buffer> {
  let bytes: Buffer | undefined
  try {
    bytes = await readFile(join(directory, path))
  } catch {
    // Said below: a file that cannot be read is not the one that was checked.
  }
  const digest = bytes && createHash('sha256').update(bytes).digest('hex')
  if (bytes && files.some((file) => file.path === path && file.sha256 === digest)) return bytes
  throw refused(
    'AUTON8N_LOAD_REFUSED',
    `${path} in ${directory} is not the file that the job's report lists, so nothing is loaded; create the plugin anew`,
  )
}

function describe(plugin: Plugin, jobId: string): LoadedPlugin {
  return {
    name: plugin.name,
    jobId,
    actions: names(plugin.actions),
    providers: names(plugin.providers),
    services: (plugin.services ?? []).map(({ serviceType }) => serviceType),
    evaluators: names(plugin.evaluators),
    routes: (plugin.routes ?? []).map(({ type, path }) => `${type} ${path}`),
  }
}

function common(own: { name: string }[] | undefined, live: { name: string }[]): string[] {
  const taken = names(live)
  return names(own).filter((name) => taken.includes(name))
}

function names(things: { name: string }[] | undefined): string[] {
  return (things ?? []).map(({ name }) => name)
}

function drop<T>(list: T[], goes: (item: T) => boolean): void {
  for (let index = list.length - 1; index >= 0; index -= 1) {
    if (goes(list[index] as T)) list.splice(index, 1)
  }
}

function refused(code: string, message: string): Auton8nError {
  return new Auton8nError(code, `${message}.`)
}
