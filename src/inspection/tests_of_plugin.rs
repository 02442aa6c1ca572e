//! How a plugin's tests are written: counted, none skipped, none that runs only at times.

use oxc_ast::ast::{Argument, CallExpression, Expression};

use super::chain::chain;

/// What a call is to the test runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TestCall {
    Other,
    /// `describe(…)`; whether it runs its tests several times.
    Group {
        multiplied: bool,
    },
    /// `it(…)`; whether it is several tests.
    Test {
        multiplied: bool,
    },
}

/// Members that leave tests out, or make a failing one pass.
pub(super) const SKIPPING: &[&str] = &["skip", "todo", "skipIf", "runIf", "todoIf", "fails", "failing"];

/// Members that may follow `it`, `test` and `describe`.
const HARMLESS: &[&str] = &["concurrent", "sequential", "shuffle"];

/// Names of the test runner that make tests.
pub(super) fn makes_tests(name: &str) -> bool {
    matches!(name, "it" | "test" | "describe" | "suite")
}

/// Names of the test runner that judge or replace.
pub(super) fn is_runner(name: &str) -> bool {
    matches!(name, "expect" | "vi" | "vitest")
}

/// Whether a value is what `expect(…)` gives, or a member of it.
pub(super) fn is_expectation(value: &Expression) -> bool {
    let mut current = value.get_inner_expression();
    for _ in 0..32 {
        current = match current {
            Expression::CallExpression(call) if call.callee.is_specific_id("expect") => return true,
            other => match other.as_member_expression() {
                Some(member) => member.object().get_inner_expression(),
                None => return false,
            },
        };
    }
    false
}

/// What a call is to the test runner.
pub(super) fn classify(call: &CallExpression) -> TestCall {
    let (names, multiplied) = match call.callee.get_inner_expression() {
        // `it.each(table)(name, body)`: the inner call makes no test.
        Expression::CallExpression(inner) => match chain(&inner.callee) {
            Some(names) if matches!(names.last(), Some(&("each" | "for"))) => (names, true),
            _ => return TestCall::Other,
        },
        Expression::TaggedTemplateExpression(inner) => match chain(&inner.tag) {
            Some(names) if names.last() == Some(&"each") => (names, true),
            _ => return TestCall::Other,
        },
        _ => match chain(&call.callee) {
            Some(names) if names.iter().skip(1).all(|name| HARMLESS.contains(name)) => (names, false),
            _ => return TestCall::Other,
        },
    };
    match names.first() {
        Some(&("it" | "test")) => TestCall::Test { multiplied },
        Some(&("describe" | "suite")) => TestCall::Group { multiplied },
        _ => TestCall::Other,
    }
}

/// `{ skip: true }` and its like among a test's arguments.
pub(super) fn skipping_option<'t>(call: &'t CallExpression) -> Option<&'t str> {
    call.arguments.iter().find_map(|argument| {
        let Argument::ObjectExpression(object) = argument else {
            return None;
        };
        object.properties.iter().find_map(|property| {
            let oxc_ast::ast::ObjectPropertyKind::ObjectProperty(property) = property else {
                return Some("…");
            };
            let name = property.key.static_name()?;
            SKIPPING
                .iter()
                .chain(&["only"])
                .find(|skipping| **skipping == name)
                .copied()
        })
    })
}
