/** A value that an action takes. */
export interface ActionParameter {
  type?: 'string' | 'number' | 'integer' | 'boolean'
  description?: string
  required?: boolean
  /** The allowed values. */
  enum?: (string | number | boolean)[]
  default?: string | number | boolean
}

/** A request to a web service, and where in its answer the result lies. */
export interface HttpCall {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** May hold `{parameter}`. */
  url: string
  query?: Record<string, string>
  /** Values may hold `{parameter}` and `${ENVIRONMENT_VARIABLE}`. */
  headers?: Record<string, string>
  /** JSON whose strings may hold `{parameter}`. */
  body?: unknown
  /** Dotted path into the JSON answer, such as `current.temperature` or `items[0].name`; empty: all of it. */
  result?: string
  /** How to say it; may hold `{result}` and `{parameter}`. */
  phrase?: string
  /** Milliseconds. */
  timeout?: number
}

/** What a plugin is to be. The JSON Schema of it ships as `@elizaos/plugin-auton8n/specification.schema.json`. */
export interface PluginSpecification {
  /** `@scope/plugin-name` */
  name: string
  description: string
  version?: string
  actions?: { name: string; description: string; parameters?: Record<string, ActionParameter>; http?: HttpCall }[]
  providers?: { name: string; description: string; dataStructure?: unknown; http?: HttpCall }[]
  services?: { name: string; description: string; methods?: { name: string; description?: string }[] }[]
  evaluators?: { name: string; description: string; triggers?: string[] }[]
  dependencies?: Record<string, string>
  environmentVariables?: { name: string; description: string; required?: boolean; sensitive?: boolean }[]
}
