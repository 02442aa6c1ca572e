// Whether a plugin has anything that its specification does not ask for.
import { field, records, serviceKey, show, texts, upperSnake } from './assertions.mjs'

const MAX_NAMED = 12

/** @typedef {{ name: string }} Named */

/**
 * @param {{ actions?: Named[], providers?: Named[], services?: Named[], evaluators?: Named[] }} specification
 * @param {unknown} shape what the subject says it has @returns {string|undefined}
 */
export function surplusProblem(specification, shape) {
  const found = [
    ...unasked('action', records(shape, 'actions'), 'name', specification.actions, upperSnake),
    ...unasked('provider', records(shape, 'providers'), 'name', specification.providers, upperSnake),
    ...unasked('evaluator', records(shape, 'evaluators'), 'name', specification.evaluators, upperSnake),
    ...unasked('service', records(shape, 'services'), 'type', specification.services, serviceKey),
    ...records(shape, 'routes').map((route) => `the route ${show(field(route, 'path'))}`),
    ...listed('event', texts(shape, 'events')),
    ...listed('plugin', texts(shape, 'plugins')),
    ...listed('task worker', texts(shape, 'workers')),
    ...listed('channel', texts(shape, 'channels')),
    ...texts(shape, 'fields').map((name) => `a ${show(name)} in the plugin object`),
    ...texts(shape, 'changed').map((name) => `another ${show(`runtime.${name}`)} than the agent's`),
  ]
  if (found.length === 0) return undefined
  const more = found.length > MAX_NAMED ? ` and ${found.length - MAX_NAMED} more` : ''
  return `nobody asked for: ${found.slice(0, MAX_NAMED).join(', ')}${more}`
}

/** @param {string} kind @param {string[]} names */
function listed(kind, names) {
  return names.map((name) => `the ${kind} ${show(name)}`)
}

/**
 * Each part that was asked for may be there once.
 * @param {string} kind @param {Record<string, unknown>[]} present @param {string} label
 * @param {Named[]|undefined} wanted @param {(name: string) => string} key
 */
function unasked(kind, present, label, wanted, key) {
  const left = new Set((wanted ?? []).map(({ name }) => key(name)))
  return present.map((one) => field(one, label))
    .filter((name) => typeof name !== 'string' || !left.delete(key(name)))
    .map((name) => `the ${kind} ${show(name)}`)
}
