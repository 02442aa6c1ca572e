//! What is noted of one file while its syntax tree is walked, and the rules for calls.

use std::collections::HashSet;

use oxc_ast::ast::{Argument, CallExpression, Expression, ObjectExpression, ObjectPropertyKind};
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan, Span};
use oxc_syntax::scope::ScopeFlags;

use super::chain::{chain, text_of};
use super::declared::{self, Named};
use super::globals::{self, REPLACEABLE, Verdict};
use super::report::Capabilities;
use super::tests_of_plugin::{SKIPPING, TestCall, is_expectation, makes_tests, skipping_option};

pub(super) const MODELS: &str = "a plugin may not bring `models`: they would take the place of the agent's own";

/// What one file does, and what of it is refused.
#[derive(Default)]
pub(super) struct Walk {
    pub in_test: bool,
    /// Tests made here run whenever the file does.
    pub unconditional: bool,
    pub tests: u64,
    pub multiplied: bool,
    pub refused: Vec<(Span, &'static str, String)>,
    /// Specifier, place, whether it is a type, whether it is `import()`.
    pub imports: Vec<(String, Span, bool, bool)>,
    /// Hosts in the text of URLs, and settings that are read: tests left out.
    pub hosts: Vec<Named>,
    pub settings: Vec<Named>,
    /// Where values stand that nobody can keep, by start and end.
    pub uses: HashSet<(u32, u32)>,
    pub capabilities: Capabilities,
}

impl Walk {
    pub(super) fn refuse(&mut self, span: Span, code: &'static str, message: impl Into<String>) {
        self.refused.push((span, code, message.into()));
    }

    /// Whether the names were judged, so that nobody looks at the root again.
    pub(super) fn judge(&mut self, names: &[&str], span: Span) -> bool {
        match globals::judge(names) {
            Verdict::Unknown => return false,
            Verdict::Harmless => {}
            Verdict::Network => self.capabilities.network = true,
            Verdict::Environment(name) => {
                self.capabilities.environment.insert(name.to_owned());
            }
            Verdict::Refused(code, message) => self.refuse(span, code, message),
        }
        true
    }

    pub(super) fn conditional(&mut self, walk: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.unconditional, false);
        walk(self);
        self.unconditional = before;
    }

    pub(super) fn patch(&mut self, names: Option<Vec<&str>>, span: Span) -> bool {
        let patches = names.is_some_and(|names| globals::patches(&names, self.in_test));
        if patches {
            self.refuse(
                span,
                "global-patching",
                "what the language or the test runner gives may not be changed",
            );
        }
        patches
    }

    /// Refuses a change of what `expect(…)` gives, whose members decide over tests.
    pub(super) fn expectation_changed(&mut self, object: &Expression, span: Span) -> bool {
        let changed = self.in_test && is_expectation(object);
        if changed {
            let message = "what `expect(…)` gives may not be changed";
            self.refuse(span, "global-patching", message);
        }
        changed
    }

    /// Refuses to keep what `expect(…)` gives under another name.
    pub(super) fn expectation_kept(&mut self, value: &Expression) {
        let kept = matches!(value.get_inner_expression(), Expression::CallExpression(call)
            if call.callee.is_specific_id("expect"));
        if self.in_test && kept {
            let message = "call a matcher of `expect(…)` at once, as in `expect(value).toBe(1)`";
            self.refuse(value.span(), "test-dynamic", message);
        }
    }

    pub(super) fn test_call(&mut self, call: &CallExpression, kind: TestCall) {
        if let Some(option) = skipping_option(call) {
            let code = if option == "only" { "test-only" } else { "test-skipped" };
            self.refuse(
                call.span,
                code,
                format!("the option `{option}` of a test is refused: every test runs"),
            );
        }
        match call.callee.get_inner_expression() {
            Expression::CallExpression(inner) => self.visit_arguments(&inner.arguments),
            Expression::TaggedTemplateExpression(inner) => {
                self.visit_template_literal(&inner.quasi);
            }
            _ => {}
        }
        let (TestCall::Test { multiplied } | TestCall::Group { multiplied }) = kind else {
            return;
        };
        self.multiplied |= multiplied;
        if !self.unconditional {
            let message = "tests stand at the top of a file or in `describe`, under no condition and in no loop";
            self.refuse(call.span, "test-conditional", message);
        }
        if matches!(kind, TestCall::Test { .. }) {
            self.tests += 1;
            self.visit_arguments(&call.arguments);
            return;
        }
        for argument in &call.arguments {
            match argument {
                // The body of a group runs whenever the group does.
                Argument::ArrowFunctionExpression(body) => {
                    walk::walk_arrow_function_expression(self, body);
                }
                Argument::FunctionExpression(body) => {
                    walk::walk_function(self, body, ScopeFlags::Function);
                }
                other => self.visit_argument(other),
            }
        }
    }

    /// Calls that are more than a use of their names. Whether the first argument was dealt with.
    pub(super) fn special_call(&mut self, call: &CallExpression, names: &[&str]) -> bool {
        let first = call.arguments.first().and_then(Argument::as_expression);
        let text = |at: usize| {
            call.arguments
                .get(at)
                .and_then(Argument::as_expression)
                .and_then(text_of)
        };
        match names {
            [.., "getSetting"] => {
                if let Some(name) = text(0) {
                    self.capabilities.settings.insert(name.to_owned());
                    if !self.in_test {
                        self.settings.push((name.to_owned(), call.span));
                    }
                }
            }
            ["vi" | "vitest", "spyOn"] => {
                let names = first.and_then(chain).unwrap_or_default();
                return matches!(names[..], [root] if globals::is_global_object(root))
                    && text(1).is_some_and(|name| REPLACEABLE.contains(&name));
            }
            ["vi" | "vitest", "stubGlobal"] if text(0).is_none_or(|name| !REPLACEABLE.contains(&name)) => {
                self.refuse(
                    call.span,
                    "global-patching",
                    "a test may replace `fetch` and timers, no other global",
                );
            }
            [
                "expect",
                "extend" | "setState" | "addEqualityTesters" | "addSnapshotSerializer",
            ] => {
                self.refuse(
                    call.span,
                    "global-patching",
                    "the test runner's matchers may not be changed",
                );
            }
            ["Object", "assign" | "defineProperty" | "defineProperties"]
            | ["Reflect", "set" | "defineProperty" | "deleteProperty"]
                if first.is_some_and(|first| {
                    is_expectation(first) || chain(first).is_some_and(|names| globals::is_shared(&names))
                }) =>
            {
                self.refuse(
                    call.span,
                    "global-patching",
                    "what all of the program shares may not be changed",
                );
                return true;
            }
            ["setTimeout" | "setInterval"] if text(0).is_some() => {
                self.refuse(call.span, "code-from-text", "timers take functions, no text");
            }
            [_, .., last] if self.in_test && SKIPPING.contains(last) && !makes_tests(names[0]) => {
                self.refuse(call.span, "test-skipped", "no test may be left out while it runs");
            }
            _ => {}
        }
        false
    }

    pub(super) fn hosts_in(&mut self, text: &str, span: Span) {
        if !self.in_test {
            let hosts = declared::hosts_in(text).into_iter().map(|host| (host, span));
            self.hosts.extend(hosts);
        }
    }

    /// Notes what is read of the settings of a character. Whether it is that.
    pub(super) fn character(&mut self, names: &[&str], span: Span) -> bool {
        if self.in_test {
            return false;
        }
        match declared::setting_of(names) {
            Some(Ok(name)) => {
                self.capabilities.settings.insert(name.to_owned());
                self.settings.push((name.to_owned(), span));
            }
            Some(Err(())) => {
                let message = "the settings of a character may not be taken as a whole: read `runtime.getSetting('NAME')` of what the specification declares";
                self.refuse(span, "undeclared-setting", message);
            }
            None => return false,
        }
        true
    }

    /// `models` in what looks like a plugin.
    pub(super) fn plugin_models(&mut self, object: &ObjectExpression) {
        let find = |wanted: &[&str]| {
            object.properties.iter().find_map(|property| {
                let ObjectPropertyKind::ObjectProperty(property) = property else {
                    return None;
                };
                let name = property.key.static_name()?;
                wanted.contains(&name.as_ref()).then_some(property.span)
            })
        };
        if find(&["name", "actions", "providers", "services"]).is_some()
            && let Some(span) = find(&["models"])
        {
            self.refuse(span, "plugin-models", MODELS);
        }
    }
}
