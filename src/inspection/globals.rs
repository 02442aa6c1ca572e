//! What may be done with names that every program has.

use super::chain::UNKNOWN;

/// Members of `process` that only tell.
const TELLING: &[&str] = &[
    "arch",
    "cwd",
    "hrtime",
    "memoryUsage",
    "nextTick",
    "platform",
    "uptime",
    "version",
    "versions",
];

/// Members of the global object that may be reached through it, and replaced in tests.
pub(super) const REPLACEABLE: &[&str] = &[
    "fetch",
    "setTimeout",
    "clearTimeout",
    "setInterval",
    "clearInterval",
    "Date",
];

/// The language's names whose members nobody may change.
const SHARED: &[&str] = &[
    "Array",
    "ArrayBuffer",
    "BigInt",
    "Boolean",
    "Buffer",
    "Date",
    "Error",
    "Function",
    "Intl",
    "JSON",
    "Map",
    "Math",
    "Number",
    "Object",
    "Promise",
    "Proxy",
    "Reflect",
    "RegExp",
    "Set",
    "String",
    "Symbol",
    "WeakMap",
    "WeakSet",
    "console",
    "crypto",
    "performance",
    "Response",
    "Request",
    "Headers",
    "URL",
    "AbortSignal",
    "AbortController",
];

/// The test runner's, whose members nobody may change either.
const RUNNER: &[&str] = &[
    "afterAll",
    "afterEach",
    "beforeAll",
    "beforeEach",
    "describe",
    "expect",
    "it",
    "suite",
    "test",
    "vi",
    "vitest",
];

const GLOBAL_OBJECT: &[&str] = &["globalThis", "global", "self", "window"];

/// What a chain of names does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict<'n> {
    /// It begins with a name that means nothing here.
    Unknown,
    Harmless,
    Environment(&'n str),
    Network,
    Refused(&'static str, String),
}

/// Whether a chain begins with the global object.
pub(super) fn is_global_object(name: &str) -> bool {
    GLOBAL_OBJECT.contains(&name)
}

/// Judges a use of names, the root first.
pub(super) fn judge<'n>(names: &[&'n str]) -> Verdict<'n> {
    let (root, rest) = match names {
        [root, rest @ ..] if is_global_object(root) => match rest {
            [] | [UNKNOWN, ..] => {
                return refused("global-access", "the global object may only be reached by plain names");
            }
            [member, ..] if REPLACEABLE.contains(member) && *member != "fetch" => {
                return Verdict::Harmless;
            }
            [member, rest @ ..] => match judge_name(member, rest) {
                Verdict::Unknown => {
                    return refused("global-access", "that member of the global object may not be reached");
                }
                verdict => return verdict,
            },
        },
        [root, rest @ ..] => (root, rest),
        [] => return Verdict::Unknown,
    };
    judge_name(root, rest)
}

fn judge_name<'n>(root: &str, rest: &[&'n str]) -> Verdict<'n> {
    match (root, rest) {
        ("process", ["env", UNKNOWN, ..] | ["env"]) => refused(
            "environment-dynamic",
            "environment variables may only be read one by one, by plain names",
        ),
        ("process", ["env", name, ..]) => Verdict::Environment(name),
        ("process", [member, ..]) if TELLING.contains(member) => Verdict::Harmless,
        ("process", _) => refused(
            "process-control",
            "a plugin may not control, end or hand on the process",
        ),
        ("eval" | "Function" | "WebAssembly", _) => {
            refused("code-from-text", "code may not be made while the program runs")
        }
        ("require", _) => refused("require", "`require` is refused: use `import`"),
        ("Bun" | "Deno" | "Worker", _) => refused(
            "runtime-global",
            "a plugin may not use what only one runtime has, nor start threads",
        ),
        ("fetch" | "WebSocket" | "EventSource" | "XMLHttpRequest", _) => Verdict::Network,
        _ => Verdict::Unknown,
    }
}

/// Whether a change of this member changes what all of the program shares.
pub(super) fn patches(names: &[&str], in_test: bool) -> bool {
    match names {
        [root, member, ..] if is_global_object(root) => !(in_test && REPLACEABLE.contains(member)),
        [root, ..] if is_global_object(root) => true,
        // A test may make time-outs short, as it may answer `fetch`.
        ["AbortSignal", "timeout"] if in_test => false,
        [root, _, ..] if is_common(root) => true,
        _ => names.contains(&"__proto__") || names.iter().skip(1).any(|name| *name == "prototype"),
    }
}

/// Whether a name, given another one, would let its members be changed unseen. Tests' own are judged apart, and what
/// makes texts, numbers and the like is often handed on, as in `.map(String)`.
pub(super) fn keeps_state(name: &str) -> bool {
    SHARED.contains(&name) && !matches!(name, "String" | "Number" | "Boolean" | "BigInt")
}

/// Whether the object itself is shared by all of the program.
pub(super) fn is_shared(names: &[&str]) -> bool {
    names
        .first()
        .is_some_and(|root| is_common(root) || is_global_object(root) || *root == "process")
}

fn is_common(name: &str) -> bool {
    SHARED.contains(&name) || RUNNER.contains(&name)
}

fn refused(code: &'static str, message: &str) -> Verdict<'static> {
    Verdict::Refused(code, message.to_owned())
}
