//! What a user asks for: types and validation.

mod dependency;
mod http;
mod list;
mod name;
mod parameter;
mod parse;
mod part;
mod place;
mod placeholder;
mod problem;
mod scope;
mod shape;
#[cfg(test)]
mod tests;
mod types;
mod url;

pub use name::reserved_action_names;
pub use parse::{parse, parse_json};
pub use place::Step;
pub use placeholder::{Placeholder, placeholders, placeholders_in_json};
pub use problem::Problem;
pub use types::{
    Action, EnvironmentVariable, Evaluator, Http, Method, Parameter, ParameterKind, Provider, Service, ServiceMethod,
    Specification,
};

/// Milliseconds that a request may take where the specification does not say.
pub const DEFAULT_HTTP_TIMEOUT: u32 = 10_000;
