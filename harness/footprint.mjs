// What a plugin left in a runtime besides the parts that it lists. Taken by the subject; judged by surplus.mjs.

/**
 * @typedef {import('@elizaos/core').AgentRuntime} AgentRuntime
 * @typedef {{ methods: Map<string, unknown>, own: Map<string, unknown>, character: Map<string, string> }} Footprint
 */

/** The parts, and the hooks, which may do what they like as long as nothing is left of it. */
const KNOWN = new Set(['name', 'description', 'actions', 'providers', 'services', 'evaluators', 'models', 'routes',
  'events', 'init', 'config'])
/** What the runtime itself sets anew while it starts and runs. */
const PASSING = new Set(['currentRunId', 'currentRoomId', 'currentActionContext', 'initPromise', 'initResolver',
  'initRejecter', 'messageService'])

/**
 * The methods, taken before any code of the plugin runs.
 * @param {object} prototype @returns {Map<string, unknown>}
 */
export function methodsOf(prototype) {
  return new Map(Object.entries(Object.getOwnPropertyDescriptors(prototype)).map(([name, { value }]) => [name, value]))
}

/** @param {AgentRuntime} runtime @param {Map<string, unknown>} methods @returns {Footprint} */
export function footprint(runtime, methods) {
  const own = Object.entries(runtime).filter(([name]) => !PASSING.has(name))
  return { methods, own: new Map(own), character: characterOf(runtime) }
}

/** @param {AgentRuntime} runtime */
function characterOf({ character }) {
  const texts = new Map(Object.entries(character).map(([key, value]) => [key, JSON.stringify(value)]))
  // The runtime itself puts the secrets of the settings beside them.
  if (texts.get('secrets') === JSON.stringify(character.settings?.secrets)) texts.delete('secrets')
  return texts
}

/**
 * Names of what is another thing than it was: `useModel`, `character.system`.
 * @param {AgentRuntime} runtime @param {Footprint} before @returns {string[]}
 */
export function changedSince(runtime, before) {
  const names = new Set()
  const methods = methodsOf(Object.getPrototypeOf(runtime))
  for (const [name, method] of before.methods) {
    if (methods.get(name) !== method || Object.hasOwn(runtime, name)) names.add(name)
  }
  const own = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (runtime))
  for (const [name, value] of before.own) if (own[name] !== value) names.add(name)
  const character = characterOf(runtime)
  for (const key of new Set([...before.character.keys(), ...character.keys()])) {
    if (before.character.get(key) !== character.get(key)) names.add(`character.${key}`)
  }
  return [...names]
}

/**
 * Fields of the plugin object that are unknown here and hold something.
 * @param {object} plugin @returns {string[]}
 */
export function otherFields(plugin) {
  return Object.entries(plugin).filter(([name, value]) => !KNOWN.has(name) &&
    value !== undefined && value !== null && value !== 0 &&
    (typeof value !== 'object' || Object.keys(value).length > 0)).map(([name]) => name)
}

/**
 * What was registered by calls, with nothing of it on the plugin object.
 * @param {AgentRuntime} runtime @param {object} plugin
 */
export function registered(runtime, plugin) {
  return {
    plugins: runtime.plugins.filter((one) => one !== plugin).map(({ name }) => name),
    events: Object.keys(runtime.events),
    routes: runtime.routes.map(({ type, path }) => ({ type, path })),
    workers: [...readMap(runtime, 'taskWorkers').keys()],
    channels: [...readMap(runtime, 'sendHandlers').keys()],
  }
}

/** @param {AgentRuntime} runtime @param {string} name @returns {Map<unknown, unknown>} */
function readMap(runtime, name) {
  const value = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (runtime))[name]
  return value instanceof Map ? value : new Map()
}
