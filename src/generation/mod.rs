//! How a plugin's files come about: from templates, or from a model's reply.

mod model;

pub use model::{Model, ModelReply, ModelRequest, Usage};
