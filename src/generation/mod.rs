//! How a plugin's files come about: from templates, or from a model's reply.

pub mod description;
mod model;
pub mod prompt;
pub mod reply;
pub mod scaffold;
pub mod template;

pub use model::{Model, ModelReply, ModelRequest, Usage};

/// What a generated plugin is judged by: told to the model, and carried out by the boot test.
pub const CONTRACT: &str = include_str!("contract.md");
