import { auton8nPlugin } from './plugin.js'

export default auton8nPlugin
export { auton8nPlugin }
export { Engine, openEngine } from './api/engine.js'
export { createPlugin, createPluginFromDescription } from './api/sharedEngine.js'
export type { CreationFilter, MetricsTextOptions } from './api/engine.js'
export type { EngineLogger, EngineLogRecord } from './api/logger.js'
export type { StoredSpan, StoredTrace } from './api/trace.js'
export { PluginCreation } from './api/pluginCreation.js'
export type {
  CreatedPlugin,
  CreationCheck,
  CreationEvent,
  CreationFailure,
  CreationReport,
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
export { CircuitBreaker, CircuitBreakerFactory } from './api/breaker.js'
export { observeBreakers } from './api/processMetrics.js'
export { SharedBreakers, type SharedBreakersOptions } from './api/breaker-shared.js'
export type {
  CircuitBreakerEvent,
  CircuitBreakerEvents,
  CircuitBreakerListener,
  CircuitBreakerMetrics,
  CircuitBreakerOptions,
  CircuitBreakerSnapshot,
  CircuitState,
} from './api/breaker.js'
export { AbortJobError, JobPriority, JobQueue, RetryAfterError, Worker } from './api/queue.js'
export type {
  AnyJob,
  Job,
  JobContext,
  JobEvent,
  JobEvents,
  JobFilter as QueueJobFilter,
  JobHandler,
  JobOptions,
  JobStatus,
  JobTypes,
  NewJob,
  QueueLimits,
  QueueMetrics,
  QueueOptions,
  Rate,
  Schedule,
  ScheduleOptions,
  WorkerOptions,
} from './api/queue.js'
export { Sandbox } from './api/sandbox.js'
export type { SandboxOptions, SandboxRun, SandboxRunOptions } from './api/sandbox.js'
export { checkDependencies, updateAdvisories } from './api/dependencies.js'
export type {
  AdvisoriesUpdate,
  CheckDependenciesOptions,
  DependencyFinding,
  DependencyReport,
} from './api/dependencies.js'
export { SecretsScanner } from './api/scanner.js'
export type {
  AllowlistEntry,
  Finding,
  PatternInfo,
  ScanDirectoryOptions,
  ScanResult,
  SecretPattern,
  SecretsScannerOptions,
  Severity,
} from './api/scanner.js'
export {
  AlwaysSampler,
  ConsoleExporter,
  OtlpExporter,
  ParentBasedSampler,
  ProbabilitySampler,
  RateLimitingSampler,
  Span,
  SpanKind,
  SpanStatusCode,
  Tracer,
} from './api/tracer.js'
export type {
  Attributes,
  AttributeValue,
  Carrier,
  OtlpExporterOptions,
  Sampler,
  SpanContext,
  SpanData,
  SpanEvent,
  SpanExporter,
  SpanLink,
  SpanStatus,
  StartSpanOptions,
  TracerMetrics,
  TracerOptions,
} from './api/tracer.js'
export { Auton8nError } from './errors.js'
export { PluginCreationService } from './service.js'
export type { ServiceCreateOptions } from './service.js'
export type { LoadedPlugin } from './pluginLoader.js'
