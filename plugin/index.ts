import { auton8nPlugin } from './plugin.js'

export default auton8nPlugin
export { auton8nPlugin }
export { createPlugin, createPluginFromDescription, Engine, openEngine } from './api/engine.js'
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
export { formatReply } from './api/reply.js'
export { validateSpecification } from './api/specification.js'
export type {
  ActionSpecification,
  EnvironmentVariableSpecification,
  EvaluatorSpecification,
  HttpSpecification,
  JsonValue,
  ParameterSpecification,
  ParameterType,
  PluginSpecification,
  ProviderSpecification,
  ServiceSpecification,
  SpecificationCheck,
  SpecificationProblem,
} from './api/specification.js'
export { Auton8nError } from './errors.js'
export { PluginCreationService } from './service.js'
export type { ServiceCreateOptions } from './service.js'
export type { LoadedPlugin } from './pluginLoader.js'
