//! Sources to inspect.

/// A plugin as a careful author writes it.
pub const GOOD: &[(&str, &str)] = &[
    (
        "src/config.ts",
        r"import { z } from 'zod'

export const configSchema = z.object({ WEATHER_API_TOKEN: z.string().min(1).optional() })
export type WeatherConfig = z.infer<typeof configSchema>
",
    ),
    (
        "src/actions/get-weather.ts",
        r"import type { Action, ActionResult, HandlerCallback, IAgentRuntime, Memory, State } from '@elizaos/core'

/** The temperature of an answer, or nothing. */
export function temperatureOf(answer: unknown): number | undefined {
  if (typeof answer !== 'object' || answer === null || !('current' in answer)) return undefined
  const current = answer.current
  if (typeof current !== 'object' || current === null || !('temperature' in current)) return undefined
  return typeof current.temperature === 'number' ? current.temperature : undefined
}

export const getWeather: Action = {
  name: 'GET_WEATHER',
  description: 'Tells the weather of a city.',
  similes: ['WEATHER'],
  validate: async (_runtime: IAgentRuntime, message: Memory): Promise<boolean> => Boolean(message.content.text),
  handler: async (
    runtime: IAgentRuntime,
    message: Memory,
    _state?: State,
    _options?: Record<string, unknown>,
    callback?: HandlerCallback,
  ): Promise<ActionResult> => {
    const token = runtime.getSetting('WEATHER_API_TOKEN')
    const city = message.content.text ?? ''
    const response = await fetch(`https://api.example.com/v1/weather?q=${encodeURIComponent(city)}`, {
      headers: token ? { authorization: `Bearer ${String(token)}` } : {},
      signal: AbortSignal.timeout(5000),
    })
    const temperature = temperatureOf(await response.json())
    if (temperature === undefined) return { success: false, text: 'no temperature', error: new Error('no temperature') }
    const text = `It is ${temperature} degrees in ${city}.`
    await callback?.({ text })
    return { success: true, text, data: { actionName: 'GET_WEATHER', temperature } }
  },
  examples: [],
}
",
    ),
    (
        "src/index.ts",
        r"import type { Plugin } from '@elizaos/core'
import { logger } from '@elizaos/core'

import { getWeather } from './actions/get-weather.js'
import { configSchema } from './config.js'

export const weatherPlugin: Plugin = {
  name: '@acme/plugin-weather',
  description: 'Weather on request.',
  init: async (config) => {
    configSchema.parse(config)
    logger.info('weather plugin is ready')
  },
  actions: [getWeather],
}

export default weatherPlugin
",
    ),
    (
        "__tests__/weather.test.ts",
        r"import { describe, expect, it, vi } from 'vitest'

import { temperatureOf } from '../src/actions/get-weather.js'
import plugin from '../src/index.js'

describe('weather', () => {
  it('finds the temperature', () => {
    expect(temperatureOf({ current: { temperature: 7 } })).toBe(7)
  })

  it('refuses what has none', () => {
    expect(temperatureOf({})).toBeUndefined()
    expect(temperatureOf(null)).toBeUndefined()
  })

  it('has its action', () => {
    expect(plugin.actions?.map((action) => action.name)).toEqual(['GET_WEATHER'])
    const spy = vi.fn()
    spy(1)
    expect(spy).toHaveBeenCalledWith(1)
  })
})
",
    ),
];

/// A source and the one code that refuses it.
pub const HOSTILE: &[(&str, &str)] = &[
    ("export const x = (", "syntax"),
    (
        "import { readFileSync } from 'node:fs'\nreadFileSync('x')",
        "import-builtin",
    ),
    ("import fs from 'fs/promises'\nfs.rm('x')", "import-builtin"),
    ("import { exec } from 'child_process'\nexec('x')", "import-builtin"),
    ("import { createRequire } from 'node:module'", "import-builtin"),
    ("import vm from 'node:vm'", "import-builtin"),
    ("import process from 'node:process'", "import-builtin"),
    ("import { x } from 'node:made_up'", "import-builtin"),
    ("export { readFile } from 'node:fs'", "import-builtin"),
    ("export * from 'node:fs'", "import-builtin"),
    ("const m = await import('node:fs')", "import-builtin"),
    ("const m = await import(`node:fs`)", "import-builtin"),
    ("import { $ } from 'bun:jsc'", "import-refused"),
    ("import x from 'file:///etc/passwd'", "import-refused"),
    ("import x from 'https://evil.example/x.js'", "import-refused"),
    ("import x from 'data:text/javascript,1'", "import-refused"),
    ("import x from '/etc/passwd'", "import-refused"),
    ("import x from './other.js?raw'", "import-refused"),
    ("import x from '@elizaos/core/../../x'", "import-refused"),
    ("import x from '../../x.js'", "import-outside"),
    ("import x from '../../../etc/secret.json'", "import-outside"),
    ("import x from './x.json'", "import-kind"),
    ("import x from './missing.js'", "import-missing"),
    ("import x from '../__tests__/ok.test.js'", "import-test"),
    ("import { it } from 'vitest'", "import-test"),
    ("import _ from 'lodash'", "dependency-unsupported"),
    ("import type { X } from 'lodash'", "dependency-unsupported"),
    ("type X = import('lodash').X", "dependency-unsupported"),
    ("const n = 'x'; await import(n)", "import-dynamic"),
    ("await import('node:' + 'fs')", "import-dynamic"),
    ("import fs = require('fs')", "require"),
    ("const fs = require('fs')", "require"),
    ("const r = require", "require"),
    ("/// <reference path=\"/etc/passwd\" />\nexport {}", "triple-slash"),
    (
        "declare module '@elizaos/core' { interface Plugin { x: any } }",
        "module-augmentation",
    ),
    (
        "declare global { interface Array<T> { x: T } }\nexport {}",
        "module-augmentation",
    ),
    ("eval('1')", "code-from-text"),
    ("const e = eval; e('1')", "code-from-text"),
    ("(0, eval)('1')", "code-from-text"),
    ("new Function('return 1')()", "code-from-text"),
    ("globalThis.eval('1')", "code-from-text"),
    ("const f = (() => {}).constructor('return 1')", "code-from-text"),
    ("const f = (async () => {})['constructor']('x')", "code-from-text"),
    ("(() => 1).constructor('return 1')()", "code-from-text"),
    ("const { constructor: Maker } = () => 1; Maker('x')", "code-from-text"),
    (
        "const { ['constructor']: Maker } = () => 1; Maker('x')",
        "code-from-text",
    ),
    ("let constructor: any; ({ constructor } = () => 1)", "code-from-text"),
    ("let m: any; ({ constructor: m } = () => 1)", "code-from-text"),
    ("const f = ({ constructor: m }: any) => m('x')", "code-from-text"),
    ("const maker = (() => 1).constructor", "code-from-text"),
    ("const f = () => 1; const m = f.constructor; m('x')", "code-from-text"),
    ("const f = () => 1; const m = f?.[`constructor`]", "code-from-text"),
    ("const m = fetch.constructor.call(null, 'x')", "code-from-text"),
    (
        "const f = () => 1; f.constructor.name.constructor.call",
        "code-from-text",
    ),
    ("const m = (() => 1)['constr' + 'uctor']('x')", "code-from-text"),
    ("const m = Reflect.get(() => 1, 'constructor')", "prototype-access"),
    ("Reflect.construct(X, [])", "prototype-access"),
    ("Reflect.apply(x, null, [])", "prototype-access"),
    ("Reflect.getPrototypeOf(x)", "prototype-access"),
    ("Object.getPrototypeOf(x)", "prototype-access"),
    ("Object['getPrototypeOf'](x)", "prototype-access"),
    ("Object.setPrototypeOf(x, {})", "prototype-access"),
    ("Object.getOwnPropertyDescriptor(x, 'y')", "prototype-access"),
    ("Object.getOwnPropertyDescriptors(x)", "prototype-access"),
    ("const p = x.__proto__", "prototype-access"),
    ("const { __proto__: p } = x", "prototype-access"),
    ("x.getBuiltinModule('fs')", "process-control"),
    ("f().reallyExit(0)", "process-control"),
    ("const { mainModule } = x", "process-control"),
    ("fetch[eval('1')]", "code-from-text"),
    ("setTimeout('x()', 1)", "code-from-text"),
    ("process.exit(0)", "process-control"),
    ("process['exit'](0)", "process-control"),
    ("process?.exit?.(0)", "process-control"),
    ("(process as any).kill(1)", "process-control"),
    ("const { exit } = process", "process-control"),
    ("globalThis.process.exit()", "process-control"),
    ("globalThis['process'].exit()", "process-control"),
    ("process.binding('fs')", "process-control"),
    ("process.on('exit', () => {})", "process-control"),
    ("const g = globalThis", "global-access"),
    ("globalThis['pro' + 'cess'].exit()", "global-access"),
    ("Bun.spawn(['sh'])", "runtime-global"),
    ("Deno.exit()", "runtime-global"),
    ("new Worker('x')", "runtime-global"),
    ("const all = { ...process.env }", "environment-dynamic"),
    ("const n = 'A'; const v = process.env[n]", "environment-dynamic"),
    ("const v = process.env.SECRET_THING", "undeclared-environment"),
    ("const v = process.env['SECRET_THING']", "undeclared-environment"),
    ("globalThis.fetch = async () => new Response()", "global-patching"),
    ("Array.prototype.map = () => []", "global-patching"),
    ("JSON.parse = () => 1", "global-patching"),
    ("Object.defineProperty(Object.prototype, 'x', {})", "global-patching"),
    ("Object.assign(globalThis, { x: 1 })", "global-patching"),
    ("Reflect.set(Promise, 'all', 1)", "global-patching"),
    ("delete Array.prototype.map", "global-patching"),
    ("const o = { a: {} }; o.__proto__.x = 1", "global-patching"),
    ("console.log = () => {}", "global-patching"),
    ("const shared = JSON; shared.stringify = () => ''", "global-access"),
    ("let o: any; o = Object", "global-access"),
    ("((a: any) => { a.isArray = () => true })(Array)", "global-access"),
    ("const [p] = [Promise]", "global-access"),
    ("const { stringify } = JSON", "global-access"),
    ("const { getPrototypeOf } = Object", "global-access"),
    ("const { get } = Reflect", "global-access"),
    ("const all = { JSON }", "global-access"),
    ("const f = () => Object", "global-access"),
    ("const j = x ? JSON : null", "global-access"),
    ("const j = (JSON as any)!", "global-access"),
    ("export default JSON", "global-access"),
    ("const p = Array.prototype; p.map = () => []", "global-access"),
    ("o.any(JSON)", "global-access"),
    ("const S = String; S.prototype.trim = () => ''", "global-patching"),
    (
        "export default { name: 'x', models: { TEXT_LARGE: () => 'x' } }",
        "plugin-models",
    ),
    ("export default { name: 'x', ['models']: {} }", "plugin-models"),
    ("const p: { models?: object } = {}; p.models = {}", "plugin-models"),
    ("const d = import.meta.dirname", "import-meta"),
    ("// @ts-nocheck\nexport {}", "comment-suppression"),
    ("// @ts-ignore\nexport {}", "comment-suppression"),
    ("/* eslint-disable */ export {}", "comment-suppression"),
    ("// oxlint-disable-next-line no-eval\nexport {}", "comment-suppression"),
    ("// @bun\nexport {}", "comment-suppression"),
];
