//! Members that nobody may reach, whatever the value before them is.

use std::borrow::Cow;

use oxc_ast::ast::{Expression, MemberExpression, PropertyKey};
use oxc_ast_visit::Visit;
use oxc_span::Span;

use super::chain::{UNKNOWN, member_name, text_of};
use super::walk::Walk;

/// A code and a message.
type Refusal = (&'static str, &'static str);

const PROTOTYPES: Refusal = (
    "prototype-access",
    "prototypes and property descriptors may not be reached: read the property itself",
);

/// Why a member of this name is refused on every value.
pub(super) fn refused(name: &str) -> Option<Refusal> {
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
pub(super) fn refused_in(names: &[&str]) -> Option<Refusal> {
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
    /// Visits what is computed within a chain that was judged by its names.
    pub(super) fn visit_computed<'a>(&mut self, member: &MemberExpression<'a>) {
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
    pub(super) fn unnamed_member<'a>(&mut self, member: &MemberExpression<'a>, span: Span) -> bool {
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
