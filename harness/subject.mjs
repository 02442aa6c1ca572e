// The untrusted half: `node subject.mjs PLUGIN_ENTRY`, the judge on descriptor 3. It loads the plugin in a real
// AgentRuntime, does what it is asked and returns data. It decides nothing: the plugin's code shares this process
// and may have taken it over.
import { randomUUID } from 'node:crypto'
import { Socket } from 'node:net'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { changedSince, footprint, methodsOf, otherFields, registered } from './footprint.mjs'
import { readLines } from './lines.mjs'
import { rewriteRequests } from './rewrite.mjs'
import { errorText, safeJson } from './safe.mjs'

/**
 * @typedef {Record<string, unknown>} Question
 * @typedef {import('@elizaos/core').AgentRuntime} AgentRuntime
 */

const MAX_ANSWER = 256 * 1024
const SERVICE_WAIT_MS = 4000
const MODEL_PROVIDER = 'boot'

const exit = process.exit.bind(process)
const socket = new Socket({ fd: 3 })
let port = 0

/** @param {unknown} message */
function send(message) {
  socket.write(`${JSON.stringify(message)}\n`)
}

process.on('uncaughtException', (error) => send({ event: 'unhandled', error: errorText(error) }))
process.on('unhandledRejection', (error) => send({ event: 'unhandled', error: errorText(error) }))
process.env.LOG_LEVEL ??= 'fatal'
rewriteRequests(() => port)

const { core, MemoryAdapter } = await importCore()
const methods = methodsOf(core.AgentRuntime.prototype)

/** Without the runtime there is nothing to examine: the reason is sent and the process ends, so that nobody waits. */
async function importCore() {
  try {
    return { core: await import('@elizaos/core'), ...await import('./adapter.mjs') }
  } catch (error) {
    send({ event: 'unhandled', error: errorText(error) })
    await new Promise((sent) => { socket.end(() => sent(undefined)) })
    return exit(1)
  }
}

/** @type {AgentRuntime|undefined} */
let runtime
/** @type {import('@elizaos/core').Plugin|undefined} */
let plugin
/** @type {import('./footprint.mjs').Footprint|undefined} */
let before
/** @type {Set<unknown>} */
let scripted = new Set()
/** @type {Map<number, (text: string) => void>} */
const modelCalls = new Map()
let nextCall = 0

/** @param {string} type @returns {Promise<string>} */
function askModel(type) {
  nextCall += 1
  const call = nextCall
  send({ event: 'model', call, type })
  return new Promise((settle) => modelCalls.set(call, settle))
}

/** @param {AgentRuntime} target */
function scriptModels(target) {
  const { ModelType } = core
  const { TEXT_SMALL, TEXT_LARGE, TEXT_REASONING_SMALL, TEXT_REASONING_LARGE } = ModelType
  for (const type of [TEXT_SMALL, TEXT_LARGE, TEXT_REASONING_SMALL, TEXT_REASONING_LARGE]) {
    target.registerModel(type, () => askModel(type), MODEL_PROVIDER)
  }
  for (const type of [ModelType.OBJECT_SMALL, ModelType.OBJECT_LARGE]) {
    target.registerModel(type, async () => ({ text: await askModel(type) }), MODEL_PROVIDER)
  }
  target.registerModel(ModelType.TEXT_EMBEDDING, async () => Array.from({ length: 384 }, () => 0), MODEL_PROVIDER)
}

/** @param {Question} question */
async function load(question) {
  port = Number(question.server)
  const settings = /** @type {Record<string, string>} */ (question.settings)
  for (const [name, value] of Object.entries(settings)) process.env[name] = value
  const module = await import(pathToFileURL(resolve(String(process.argv[2]))).href)
  plugin = module.default
  if (typeof plugin !== 'object' || plugin === null || typeof plugin.name !== 'string') {
    const kind = plugin === null ? 'null' : typeof plugin
    throw new Error(`the default export is ${kind}; it must be the plugin object with a name`)
  }
  runtime = new core.AgentRuntime({
    character: { name: 'Boot', bio: 'An agent that tries a plugin.', settings: { secrets: settings } },
    adapter: new MemoryAdapter(),
    plugins: [plugin],
  })
  scriptModels(runtime)
  scripted = new Set([...runtime.models.values()].flat())
  before = footprint(runtime, methods)
  await runtime.initialize({ skipMigrations: true })
  await servicesSettled(runtime, plugin)
  return shape()
}

/** @param {AgentRuntime} agent @param {import('@elizaos/core').Plugin} loaded */
async function servicesSettled(agent, loaded) {
  const end = Date.now() + SERVICE_WAIT_MS
  for (const { serviceType } of loaded.services ?? []) {
    for (;;) {
      const status = agent.getServiceRegistrationStatus(serviceType)
      if ((status !== 'pending' && status !== 'registering') || Date.now() > end) break
      await new Promise((next) => { setTimeout(next, 2) })
    }
  }
}

function shape() {
  const agent = loaded()
  const own = /** @type {import('@elizaos/core').Plugin} */ (plugin)
  const hijacked = [...agent.models].filter(([, handlers]) => handlers.some((one) => !scripted.has(one)))
  return {
    name: own.name,
    description: own.description,
    actions: agent.actions.map(({ name, similes }) => ({ name, similes })),
    providers: agent.providers.map(({ name }) => ({ name })),
    evaluators: agent.evaluators.map(({ name }) => ({ name })),
    services: serviceTypes(agent, own).map((serviceType) => {
      const instances = agent.services.get(serviceType) ?? []
      return {
        type: serviceType,
        status: agent.getServiceRegistrationStatus(serviceType),
        instances: instances.length,
        methods: methodNames(instances[0]),
      }
    }),
    ...registered(agent, own),
    fields: otherFields(own),
    changed: before ? changedSince(agent, before) : [],
    models: [...new Set([...Object.keys(own.models ?? {}), ...hijacked.map(([type]) => type)])],
  }
}

/**
 * Those that the plugin lists, each as often as it does, and those that were registered otherwise.
 * @param {AgentRuntime} agent @param {import('@elizaos/core').Plugin} own
 */
function serviceTypes(agent, own) {
  const types = (own.services ?? []).map(({ serviceType }) =>
    /** @type {import('@elizaos/core').ServiceTypeName} */ (serviceType))
  return [...types, ...[...agent.services.keys()].filter((type) => !types.includes(type))]
}

/** @param {unknown} instance */
function methodNames(instance) {
  const names = new Set()
  /** @type {unknown} */
  let at = instance
  while (typeof at === 'object' && at !== null && at !== Object.prototype) {
    for (const name of Object.getOwnPropertyNames(at)) {
      const own = Object.getOwnPropertyDescriptor(at, name)
      if (typeof own?.value === 'function' && name !== 'constructor') names.add(name)
    }
    at = Object.getPrototypeOf(at)
  }
  return [...names]
}

/** @returns {AgentRuntime} */
function loaded() {
  if (!runtime) throw new Error('the plugin is not loaded')
  return runtime
}

/** @template {{ name: string }} T @param {T[]} list @param {unknown} name @returns {T} */
function named(list, name) {
  const found = list.find((one) => one.name === name)
  if (!found) throw new Error(`there is no ${String(name)}`)
  return found
}

/** @param {unknown} text @returns {import('@elizaos/core').Memory} */
function message(text) {
  const agentId = loaded().agentId
  const id = /** @type {import('@elizaos/core').UUID} */ (randomUUID())
  const content = { text: String(text ?? ''), source: 'boot' }
  return { id, entityId: agentId, agentId, roomId: agentId, content, createdAt: Date.now() }
}

/** @param {Question} question */
async function run(question) {
  const agent = loaded()
  const action = named(agent.actions, question.name)
  /** @type {unknown[]} */
  const said = []
  const parameters = /** @type {Record<string, unknown>} */ (question.parameters)
  const state = { values: {}, data: { actionParams: { ...parameters } }, text: '' }
  const options = { parameters: { ...parameters } }
  const result = await action.handler(agent, message(question.text), state, options, async (content) => {
    // As it is now: the plugin may change it afterwards. One more than the judge allows.
    if (said.length < 21) said.push(safeJson(content))
    return []
  })
  return { result, said }
}

/** @type {Record<string, (question: Question) => unknown>} */
const operations = {
  ping: () => true,
  load,
  shape,
  run,
  validate: ({ name, text }) => named(loaded().actions, name).validate(loaded(), message(text)),
  provider: ({ name }) =>
    named(loaded().providers, name).get(loaded(), message(''), { values: {}, data: {}, text: '' }),
  evaluator: async ({ name, text }) => {
    const evaluator = named(loaded().evaluators, name)
    const state = { values: {}, data: {}, text: '' }
    const valid = await evaluator.validate(loaded(), message(text), state)
    // Run whatever validate says: a handler must not throw on an ordinary message.
    await evaluator.handler(loaded(), message(text), state, {}, async () => [])
    return { valid }
  },
  method: ({ service, name, args }) => {
    const instance = /** @type {Record<string, (...args: unknown[]) => unknown> | null} */ (
      /** @type {unknown} */ (loaded().getService(String(service))))
    const method = instance?.[String(name)]
    if (typeof method !== 'function') throw new Error(`there is no ${String(service)}.${String(name)}`)
    return method.apply(instance, /** @type {unknown[]} */ (args ?? []))
  },
  stop: async () => {
    await loaded().stop()
    // Whatever the plugin left running has a moment to fail in.
    await new Promise((next) => { setTimeout(next, 20) })
  },
}

/** @param {Question} question */
async function answer(question) {
  if (question.op === 'text') {
    const call = Number(question.call)
    modelCalls.get(call)?.(String(question.text))
    modelCalls.delete(call)
    return
  }
  if (question.op === 'exit') exit(0)
  const { id, op } = question
  try {
    const operation = operations[String(op)]
    if (!operation) throw new Error(`unknown operation ${String(op)}`)
    const value = safeJson(await operation(question))
    const size = JSON.stringify(value)?.length ?? 0
    if (size > MAX_ANSWER) throw new Error(`the answer has ${size} characters; at most ${MAX_ANSWER} are allowed`)
    send({ id, ok: true, value })
  } catch (error) {
    send({ id, ok: false, error: errorText(error) })
  }
}

readLines(socket, { line: 8 << 20, total: 64 << 20 }, (line) => void answer(JSON.parse(line)), () => exit(1))
// Without its judge it has nothing to live for.
socket.on('close', () => exit(0))
socket.on('error', () => exit(0))
send({ event: 'ready' })
