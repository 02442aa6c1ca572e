//! Members that nobody may reach, whatever the value before them is.

use std::borrow::Cow;

use oxc_ast::ast::{Argument, CallExpression, Expression, MemberExpression, PropertyKey};
use oxc_ast_visit::Visit;
use oxc_span::{GetSpan, Span};

use super::chain::{UNKNOWN, chain, member_chain, member_name, text_of};
use super::globals;
use super::tests_of_plugin::{SKIPPING, is_expectation, is_runner, makes_tests};
use super::walk::Walk;

/// A code and a message.
type Refusal = (&'static str, &'static str);

const PROTOTYPES: Refusal = (
    "prototype-access",
    "prototypes and property descriptors may not be reached: read the property itself",
);

/// Why a member of this name is refused on every value.
fn refused(name: &str) -> Option<Refusal> {
    match name {
        "constructor" => Some((
            "code-from-text",
            "`constructor` leads to functions that make code from text: name the class itself; only `.constructor.name` may be read",
        )),
        "getBuiltinModule" | "reallyExit" | "binding" | "mainModule" => Some((
            "process-control",
            "that name belongs to the process: `import` what is needed, or call a member of your own something else",
        )),
        "__proto__" | "__lookupGetter__" | "__lookupSetter__" | "__defineGetter__" | "__defineSetter__" => {
            Some(PROTOTYPES)
        }
        _ => None,
    }
}

/// Why a chain of names is refused for one of its members; `.constructor.name` at its end only tells.
fn refused_in(names: &[&str]) -> Option<Refusal> {
    let (root, members) = names.split_first()?;
    let members = match members {
        [before @ .., "constructor", "name"] => before,
        all => all,
    };
    match (*root, members) {
        (
            "Object",
            [
                "getPrototypeOf"
                | "setPrototypeOf"
                | "getOwnPropertyDescriptor"
                | "getOwnPropertyDescriptors"
                | UNKNOWN,
                ..,
            ],
        ) => return Some(PROTOTYPES),
        ("Reflect", [member, ..])
            if !matches!(*member, "has" | "ownKeys" | "set" | "defineProperty" | "deleteProperty") =>
        {
            return Some((
                "prototype-access",
                "`Reflect` may not read, call or build: write `object.member`, `call()` or `new`",
            ));
        }
        _ => {}
    }
    members.iter().find_map(|name| refused(name))
}

impl Walk {
    /// Judges a member expression. Whether nothing of it is left to look at.
    pub(super) fn member(&mut self, member: &MemberExpression) -> bool {
        let span = member.span();
        let Some(names) = member_chain(member) else {
            return self.unnamed_member(member, span);
        };
        if self.in_test && makes_tests(names[0]) {
            let skipping = names.iter().any(|name| SKIPPING.contains(name));
            let code = match () {
                () if skipping => "test-skipped",
                () if names.contains(&"only") => "test-only",
                () if matches!(names[..], [_, "each" | "for"]) => return true,
                () => "test-dynamic",
            };
            let message = format!("`{}` is refused: every test runs", names.join("."));
            self.refuse(span, code, message);
            return true;
        }
        if let Some((code, message)) = refused_in(&names) {
            self.refuse(span, code, message);
        } else if !self.character(&names, span)
            && !self.judge(&names, span)
            && !names.ends_with(&["constructor", "name"])
            && !self.bare(&names, span)
        {
            return false;
        }
        self.visit_computed(member);
        true
    }

    /// Refuses a member whose name is put together from plain texts: it hides what it is.
    pub(super) fn glued(&mut self, member: &MemberExpression) {
        if let MemberExpression::ComputedMemberExpression(computed) = member
            && matches!(computed.expression.get_inner_expression(), Expression::BinaryExpression(sum)
                if text_of(&sum.left).is_some() && text_of(&sum.right).is_some())
        {
            let message = "write the name of a member as one text";
            self.refuse(member.span(), "code-from-text", message);
        }
    }

    /// Notes that of a value only a member is taken, or that it is called, built or compared.
    pub(super) fn used(&mut self, value: &Expression) {
        let value = value.get_inner_expression();
        if matches!(value, Expression::Identifier(_)) || value.as_member_expression().is_some() {
            self.uses.insert((value.span().start, value.span().end));
        }
    }

    /// Refuses what all of the program shares where it could get another name. Whether it did.
    pub(super) fn bare(&mut self, names: &[&str], span: Span) -> bool {
        let keeps = match names {
            [root] => globals::keeps_state(root) || (self.in_test && is_runner(root)),
            [root, "prototype"] => globals::is_shared(&[root]),
            _ => false,
        };
        let refused = keeps && !self.uses.contains(&(span.start, span.end));
        if refused {
            let name = names.join(".");
            let message = format!("`{name}` gets no other name: write `{name}.member` where it is needed");
            self.refuse(span, "global-access", message);
        }
        refused
    }

    /// Classes that a matcher compares with, and objects of which a test watches one function.
    pub(super) fn matcher_arguments(&mut self, call: &CallExpression, names: &[&str]) {
        let callee = call.callee.get_inner_expression().as_member_expression();
        let takes = match names {
            ["z", "instanceof"] => true,
            ["expect", "any"] => self.in_test,
            ["vi", "spyOn"] => {
                let watched = call.arguments.first().and_then(Argument::as_expression).and_then(chain);
                self.in_test
                    && matches!(
                        watched.as_deref(),
                        Some(["console" | "Math" | "Date" | "performance" | "crypto" | "AbortSignal"])
                    )
            }
            _ => {
                self.in_test
                    && callee.is_some_and(|callee| {
                        matches!(member_name(callee), "toThrow" | "toThrowError" | "toBeInstanceOf")
                            && is_expectation(callee.object())
                    })
            }
        };
        if takes && let Some(first) = call.arguments.first().and_then(Argument::as_expression) {
            self.used(first);
        }
    }

    /// Visits what is computed within a chain that was judged by its names.
    fn visit_computed(&mut self, member: &MemberExpression) {
        let mut current = member;
        loop {
            if let MemberExpression::ComputedMemberExpression(computed) = current
                && text_of(&computed.expression).is_none()
            {
                self.visit_expression(&computed.expression);
            }
            current = match current.object().get_inner_expression() {
                Expression::ChainExpression(chain) => match chain.expression.as_member_expression() {
                    Some(inner) => inner,
                    None => return,
                },
                other => match other.as_member_expression() {
                    Some(inner) => inner,
                    None => return,
                },
            };
        }
    }

    /// Judges a member of a value that has no name. Whether nothing of it is left to look at.
    fn unnamed_member(&mut self, member: &MemberExpression, span: Span) -> bool {
        let inner = member.object().get_inner_expression().as_member_expression();
        if let Some(inner) = inner
            && member_name(member) == "name"
            && member_name(inner) == "constructor"
        {
            self.visit_expression(inner.object());
            return true;
        }
        if let Some((code, message)) = refused(member_name(member)) {
            self.refuse(span, code, message);
            self.visit_expression(member.object());
            return true;
        }
        false
    }

    /// Judges the name by which a pattern takes a value apart.
    pub(super) fn taken_apart(&mut self, key: Option<Cow<'_, str>>, span: Span) {
        if let Some((code, message)) = key.and_then(|name| refused(&name)) {
            self.refuse(span, code, message);
        }
    }
}

/// The name of a key where it is known, computed or not.
pub(super) fn key_name<'t>(key: &'t PropertyKey) -> Option<Cow<'t, str>> {
    key.static_name()
        .or_else(|| key.as_expression().and_then(text_of).map(Cow::Borrowed))
}
