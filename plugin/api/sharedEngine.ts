import { environmentOptions } from '../settings.js'
import { checkArguments, openEngine, type Engine } from './engine.js'
import { checkCreateOptions, type CreatePluginOptions } from './options.js'
import type { PluginCreation } from './pluginCreation.js'
import type { PluginSpecification } from './specification.js'

let shared: Promise<Engine> | undefined

async function openEnvironment(): Promise<Engine> {
  return await openEngine(environmentOptions())
}

/** The engine of the free functions, set up by the environment and opened at the first use. A failed opening is tried again at the next. */
function sharedEngine(): Promise<Engine> {
  shared ??= openEnvironment().catch((error: unknown) => {
    shared = undefined
    throw error
  })
  return shared
}

/** Makes a plugin of a specification; resolves when the job is durable. */
export function createPlugin(
  specification: PluginSpecification,
  options?: CreatePluginOptions,
): Promise<PluginCreation>
export function createPlugin(
  specification: PluginSpecification,
  apiKey: string,
  options?: CreatePluginOptions,
): Promise<PluginCreation>
export async function createPlugin(
  specification: PluginSpecification,
  keyOrOptions?: string | CreatePluginOptions,
  options?: CreatePluginOptions,
): Promise<PluginCreation> {
  const checked = checkArguments(keyOrOptions, options)
  return (await sharedEngine()).createPlugin(specification, checked)
}

/** Makes a plugin of words; a model makes the specification of them. Resolves when the job is durable. */
export async function createPluginFromDescription(
  description: string,
  options?: CreatePluginOptions,
): Promise<PluginCreation> {
  const checked = checkCreateOptions(options)
  return (await sharedEngine()).createPluginFromDescription(description, checked)
}
