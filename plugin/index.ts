import { auton8nPlugin } from './plugin.js'

export default auton8nPlugin
export { auton8nPlugin }
export { createPlugin, createPluginFromDescription, Engine, formatReply, openEngine } from './api/engine.js'
export type { JobFilter } from './api/engine.js'
export { PluginCreation } from './api/pluginCreation.js'
export type {
  CreatedPlugin,
  CreationCheck,
  CreationEvent,
  CreationFailure,
  CreationReport,
  CreationStatus,
  JobSnapshot,
  Stage,
} from './api/creation.js'
export type { LanguageModel, ModelFunction, ModelFunctionAnswer } from './api/model.js'
export type { EngineHealth } from './api/nativeEngine.js'
export type { CreatePluginOptions, EngineOptions } from './api/options.js'
export type { ActionParameter, HttpCall, PluginSpecification } from './api/pluginSpecification.js'
export { Auton8nError } from './errors.js'
export { PluginCreationService } from './service.js'
export type { ServiceCreateOptions } from './service.js'
export type { LoadedPlugin } from './pluginLoader.js'
