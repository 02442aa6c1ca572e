import { nativeCallSync } from '../errors.js'
import { native } from '../native.js'

/** What a plugin is made from. `specification.schema.json` of this package is its JSON Schema. */
export interface PluginSpecification {
  /** The npm package: `plugin-name` or `@scope/plugin-name`. */
  name: string
  description: string
  /** A semver version; `0.1.0` where it is left out. */
  version?: string
  actions?: ActionSpecification[]
  providers?: ProviderSpecification[]
  services?: ServiceSpecification[]
  evaluators?: EvaluatorSpecification[]
  /** npm packages and semver ranges. */
  dependencies?: Record<string, string>
  environmentVariables?: EnvironmentVariableSpecification[]
}

/** Something the agent can do. */
export interface ActionSpecification {
  /** Becomes UPPER_SNAKE_CASE. */
  name: string
  description: string
  /** A map by name, or a list with names. */
  parameters?: Record<string, ParameterSpecification | ParameterType> | (ParameterSpecification & { name: string })[]
  http?: HttpSpecification
}

export type ParameterType = 'string' | 'number' | 'integer' | 'boolean'

/** A value that an action takes. */
export interface ParameterSpecification {
  /** Default `string`. */
  type?: ParameterType
  description?: string
  /** Default `false`. */
  required?: boolean
  /** The allowed values. */
  enum?: (string | number | boolean)[]
  default?: string | number | boolean
}

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }

/** A request to a web service; its texts may hold `{parameter}` and `${VARIABLE}`. */
export interface HttpSpecification {
  /** Default `GET`. */
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** https with a fixed host; http only for localhost and 127.0.0.1. */
  url: string
  query?: Record<string, string>
  headers?: Record<string, string>
  body?: JsonValue
  /** Where in the JSON answer the result lies, such as `items[0].name`; empty: all of it. */
  result?: string
  /** How to say it; may hold `{result}` and `{parameter}`. */
  phrase?: string
  /** Milliseconds, 100 to 120000; default 10000. */
  timeout?: number
}

/** Context that the agent's model sees. */
export interface ProviderSpecification {
  /** Becomes UPPER_SNAKE_CASE. */
  name: string
  description: string
  dataStructure?: JsonValue
  http?: HttpSpecification
}

/** Something that lives as long as the agent. */
export interface ServiceSpecification {
  /** Becomes lower_snake_case. */
  name: string
  description: string
  methods?: (string | { name: string; description?: string })[]
}

/** Something that looks at a conversation after the reply. */
export interface EvaluatorSpecification {
  /** Becomes UPPER_SNAKE_CASE. */
  name: string
  description: string
  /** Words of which one must stand in the message; left out: every message. */
  triggers?: string | string[]
}

/** A setting of the plugin. */
export interface EnvironmentVariableSpecification {
  /** UPPER_SNAKE_CASE. */
  name: string
  description: string
  /** Default `false`. */
  required?: boolean
  /** Whether it is a secret; where it is left out, the name decides. */
  sensitive?: boolean
}

/** One thing that is wrong with a specification. */
export interface SpecificationProblem {
  /** JSON path, such as `$.actions[0].name`. */
  path: string
  message: string
  /** How to mend it. */
  fix: string
}

/** What validation said: the specification in its normal form, or every problem. */
export type SpecificationCheck =
  | { ok: true; specification: PluginSpecification; problems: [] }
  | { ok: false; problems: SpecificationProblem[] }

/** Checks a specification; never throws for a bad one, whatever it is. Throws `AUTON8N_ADDON_MISSING` without the addon. */
export function validateSpecification(value: unknown): SpecificationCheck {
  const json = specificationJson(value)
  if (typeof json !== 'string') return { ok: false, problems: [json] }
  const check = nativeCallSync(() => native().validateSpecification(json))
  if (!check.ok) return { ok: false, problems: check.problems }
  return { ok: true, specification: check.specification as PluginSpecification, problems: [] }
}

/** A value as the JSON text that goes to the engine, or the reason why it has none. */
export function specificationJson(value: unknown): string | SpecificationProblem {
  let unfit: string | undefined
  const check = (key: string, item: unknown): unknown => {
    const type = typeof item
    if (type === 'function' || type === 'symbol' || type === 'bigint') unfit ??= `holds a ${type} at ${JSON.stringify(key)}`
    if (type === 'number' && !Number.isFinite(item)) unfit ??= `holds ${String(item)} at ${JSON.stringify(key)}`
    return type === 'bigint' ? String(item) : item
  }
  try {
    const json = JSON.stringify(value, check)
    if (typeof json === 'string' && unfit === undefined) return json
    unfit ??= `is ${typeof value}`
  } catch (error) {
    unfit ??= `cannot be written as JSON: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`
  }
  return { path: '$', message: unfit, fix: 'Pass a plain object with name, description and at least one action' }
}
