//! The engine of `@elizaos/plugin-auton8n`.
//!
//! | room | what it is for | may import |
//! |---|---|---|
//! | `error` `event` `clock` `files` `diagnostic` `metrics` | leaves: words that all rooms share | leaves |
//! | `specification` | what a user asks for: types, validation | leaves |
//! | `store` | the only room that knows SQL | leaves |
//! | `queue` | the life of a job: claim, lease, retry, schedule, rescue, prune | leaves, store |
//! | `breaker` | the state machine that guards a call, and the rule that trips it | leaves |
//! | `scanner` | rules, findings, redaction | leaves |
//! | `sandbox` | isolated runs with limits: Docker and the built-in one | leaves |
//! | `tracer` | spans, context, samplers, exporters | leaves |
//! | `toolchain` | the tools that check a plugin, fetched once from a lock file | leaves |
//! | `dependencies` | what a plugin depends on, and whether it may: names, sources, advisories | leaves |
//! | `generation` | template generator; prompts, reply parser and repair for a model | leaves, specification |
//! | `inspection` | what generated code is: syntax tree, imports, tests | leaves, specification |
//! | `pipeline` | what a plugin-creation job does, one file a stage | all of the above but store |
//! | `engine` | composition root: open, start, close | all of the above |
//! | `bindings` | the only room that names napi | all of the above |
//!
//! `layering.rs` holds this table as a test.

pub mod breaker;
pub mod clock;
pub mod dependencies;
pub mod diagnostic;
pub mod engine;
pub mod error;
pub mod event;
pub mod files;
pub mod generation;
pub mod inspection;
pub mod metrics;
pub mod pipeline;
pub mod queue;
pub mod sandbox;
pub mod scanner;
pub mod specification;
pub mod store;
pub mod toolchain;
pub mod tracer;

#[cfg(test)]
mod layering;

#[cfg(feature = "napi")]
#[cfg_attr(test, allow(dead_code, reason = "napi exports nothing in a test build"))]
mod bindings;
