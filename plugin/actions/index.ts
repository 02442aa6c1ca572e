import type { Action } from '@elizaos/core'
import { createPluginAction, createPluginFromDescriptionAction } from './createPlugin.js'
import { loadAction, removeAction } from './loadPlugin.js'
import { cancelAction, checkStatusAction, listAction } from './manageJobs.js'

/** Every action of the plugin. */
export const actions: Action[] = [
  createPluginAction,
  createPluginFromDescriptionAction,
  checkStatusAction,
  cancelAction,
  listAction,
  loadAction,
  removeAction,
]

/** 2.x wants parameters as a list with schemas, where 1.7 wants an object. */
export function useListedParameters(): void {
  for (const action of actions) {
    if (Array.isArray(action.parameters) || typeof action.parameters !== 'object') continue
    action.parameters = Object.entries(action.parameters ?? {}).map(([name, parameter]) => {
      const { type, description, required = false } = parameter as Record<string, unknown>
      return { name, description, required, schema: { type } }
    })
  }
}
