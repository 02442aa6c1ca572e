//! How a plugin's own tests are judged, and nests that try to break the parser.

use super::*;

#[test]
fn tests_that_do_not_always_run_are_refused() {
    let head = "import { it, test, describe, expect, vi } from 'vitest'\n";
    for (text, code) in [
        ("it.skip('x', () => {})", "test-skipped"),
        ("it.todo('x')", "test-skipped"),
        ("it.skipIf(true)('x', () => {})", "test-skipped"),
        ("it['skip']('x', () => {})", "test-skipped"),
        ("it.fails('x', () => {})", "test-skipped"),
        ("describe.skip('x', () => { it('y', () => {}) })", "test-skipped"),
        ("it('x', { skip: true }, () => {})", "test-skipped"),
        ("it('x', (ctx) => { ctx.skip() })", "test-skipped"),
        ("it.only('x', () => {})", "test-only"),
        ("describe.only('x', () => { it('y', () => {}) })", "test-only"),
        ("if (1) { it('x', () => {}) }", "test-conditional"),
        ("for (const n of [1]) { it(`x${n}`, () => {}) }", "test-conditional"),
        ("x && it('x', () => {})", "test-conditional"),
        ("const f = () => { it('x', () => {}) }\nf()", "test-conditional"),
        ("[1].forEach(() => { it('x', () => {}) })", "test-conditional"),
        ("const t = it\nt('x', () => {})", "test-dynamic"),
        ("it[String('skip')]('x', () => {})", "test-dynamic"),
        ("it.extend({})", "test-dynamic"),
        (
            "expect.extend({ toBe: () => ({ pass: true, message: () => '' }) })\nit('x', () => {})",
            "global-patching",
        ),
        ("expect.prototype = {}\nit('x', () => {})", "global-patching"),
        (
            "Object.getPrototypeOf(expect(1)).toBe = () => {}\nit('x', () => {})",
            "prototype-access",
        ),
        (
            "const p = (expect(1) as any).__proto__\nit('x', () => {})",
            "prototype-access",
        ),
        (
            "const p = (expect(1) as any).constructor.prototype\nit('x', () => {})",
            "code-from-text",
        ),
        ("expect(1).toBe = () => {}\nit('x', () => {})", "global-patching"),
        ("expect(1).not.toBe = () => {}\nit('x', () => {})", "global-patching"),
        (
            "Object.assign(expect(1), { toBe() {} })\nit('x', () => {})",
            "global-patching",
        ),
        (
            "const e = expect(1)\ne.toBe = () => {}\nit('x', () => {})",
            "test-dynamic",
        ),
        (
            "{ const expect = () => ({ toBe() {} }) }\nit('x', () => {})",
            "test-dynamic",
        ),
        (
            "expect.addEqualityTesters([() => true])\nit('x', () => {})",
            "global-patching",
        ),
        ("const e = expect\nit('x', () => {})", "global-access"),
        ("vi.spyOn(JSON, 'parse')\nit('x', () => {})", "global-access"),
        ("const j = JSON\nj.parse = () => 1\nit('x', () => {})", "global-access"),
        ("vi.stubGlobal('process', {})\nit('x', () => {})", "global-patching"),
        ("expect(1).toBe(1)", "no-tests"),
        ("process.exit(0)\nit('x', () => {})", "process-control"),
    ] {
        assert_eq!(codes("__tests__/x.test.ts", &format!("{head}{text}")), [code], "{text}");
    }
    let alias = "import { it as x } from 'vitest'\nx('a', () => {})";
    assert_eq!(codes("__tests__/x.test.ts", alias), ["test-dynamic"]);
    let alias = "import { it, expect as e } from 'vitest'\nit('a', () => { e(1) })";
    assert_eq!(codes("__tests__/x.test.ts", alias), ["test-dynamic"]);
    let namespace = "import * as v from 'vitest'\nv.it('a', () => {})";
    assert_eq!(codes("__tests__/x.test.ts", namespace), ["test-dynamic"]);
    assert_eq!(codes("__tests__/x.test.ts", "it('a', () => {})"), ["test-import"]);
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
          expect(new Date()).toEqual(expect.any(Date))\n\
          expect(() => { throw new Error('x') }).not.toThrow(Error)\n\
          expect([]).toBeInstanceOf(Array)\n\
          vi.spyOn(console, 'log')\n\
          const later = expect(Promise.resolve(1)).resolves.toBe(1)\n\
          return later\n\
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

/// The same, but sound: the walk goes as deep as the parser did.
#[test]
fn endless_sound_nests_break_nothing() {
    for (head, piece, tail) in [
        ("", "!", "a"),
        ("", "- ", "a"),
        ("", "a=>", "a"),
        ("", "a?b:", "a"),
        ("", "a.", "a"),
        ("", "a+", "a"),
        ("", "typeof ", "a"),
        ("", "new ", "a"),
        ("", "if(1)", ";"),
        ("", "x:", ";"),
        ("", "a=", "a"),
        ("", "a**", "a"),
        ("", "a?.", "a"),
        ("type A=", "keyof ", "a"),
        ("type A=", "a|", "a"),
        ("type A=", "()=>", "a"),
        ("", "a,", "a"),
        ("", "if(1);else ", ";"),
        ("", "await ", "a"),
        ("", "async()=>", "a"),
        ("", "a??", "a"),
        ("a", "!", ""),
        ("a", "()", ""),
        ("a", "[0]", ""),
        ("a", " as b", ""),
        ("type A=a", "[]", ""),
        ("a", "``", ""),
        ("type A=", "a extends b?c:", "d"),
        ("for(;;)", "for(;;)", ";"),
        ("", "(a)=>", "a"),
        ("", "a&&", "a"),
    ] {
        let text = format!("{head}{}{tail}", piece.repeat((120 << 10) / piece.len().max(1)));
        let set = FileSet::from([("src/x.ts".to_owned(), text.into_bytes())]);
        let started = std::time::Instant::now();
        let found = inspect(&set, &policy()).diagnostics;
        assert!(
            found.iter().all(|one| one.code == "no-tests"),
            "{head}{piece}: {found:?}"
        );
        assert!(started.elapsed() < DEADLINE, "{head}{piece}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn no_change_of_a_good_source_breaks_the_inspection(
        file in 0_usize..4, cut in 0_usize..3000, length in 0_usize..40, text in "[\\PC\n`{}()<>/*'\"]{0,30}",
    ) {
        let mut set = files(GOOD);
        let (path, source) = GOOD[file];
        let start = source.floor_char_boundary(cut.min(source.len()));
        let end = source.floor_char_boundary((cut + length).min(source.len()));
        set.insert(path.to_owned(), format!("{}{text}{}", &source[..start], &source[end..]).into_bytes());
        let found = inspect(&set, &policy()).diagnostics;
        assert!(found.iter().all(|one| one.code != "too-complex"), "{found:?}");
    }
}
