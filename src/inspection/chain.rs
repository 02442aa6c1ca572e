//! `a.b['c'].d` as its names.

use oxc_ast::ast::{Expression, MemberExpression};

/// Stands for a name that is only known when the program runs.
pub(super) const UNKNOWN: &str = "\0";

/// Members of a chain. A longer one is judged from its root on, when the walk comes near it: else each
/// member would count all those before it again.
const MAX_MEMBERS: usize = 32;

/// The root's name and those of the members, the outermost last; `None` where the root is no name.
pub(super) fn chain<'t>(expression: &'t Expression) -> Option<Vec<&'t str>> {
    let mut names = Vec::new();
    let mut current = expression.get_inner_expression();
    while names.len() <= MAX_MEMBERS {
        current = match current {
            Expression::Identifier(root) => {
                names.push(root.name.as_str());
                names.reverse();
                return Some(names);
            }
            Expression::ChainExpression(chain) => {
                names.push(member_name(chain.expression.as_member_expression()?));
                chain.expression.as_member_expression()?.object().get_inner_expression()
            }
            other => {
                let member = other.as_member_expression()?;
                names.push(member_name(member));
                member.object().get_inner_expression()
            }
        };
    }
    None
}

/// The same for a member expression that stands where no expression does, such as left of `=`.
pub(super) fn member_chain<'t>(member: &'t MemberExpression) -> Option<Vec<&'t str>> {
    let mut names = chain(member.object())?;
    names.push(member_name(member));
    Some(names)
}

/// The name of a member where it is known.
pub(super) fn member_name<'t>(member: &'t MemberExpression) -> &'t str {
    match member {
        MemberExpression::StaticMemberExpression(member) => member.property.name.as_str(),
        MemberExpression::PrivateFieldExpression(_) => "#",
        MemberExpression::ComputedMemberExpression(member) => text_of(&member.expression).unwrap_or(UNKNOWN),
    }
}

/// The text of a string or of a template without parameters.
pub(super) fn text_of<'t>(expression: &'t Expression) -> Option<&'t str> {
    match expression.get_inner_expression() {
        Expression::StringLiteral(literal) => Some(literal.value.as_str()),
        Expression::TemplateLiteral(template) if template.expressions.is_empty() => template
            .quasis
            .first()
            .and_then(|quasi| quasi.value.cooked.as_ref())
            .map(oxc_ast::ast::Str::as_str),
        _ => None,
    }
}
