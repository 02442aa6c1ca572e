//! What generated code is: syntax tree, imports, tests, what it can reach; and what the tools said of it.
//!
//! This is the first wall, not the last: it gives exact answers to honest mistakes and stops the
//! plain attacks. What it cannot see, the sandbox holds.

mod chain;
mod comments;
mod declared;
mod globals;
mod imports;
mod inspect;
mod lines;
mod members;
mod policy;
mod reconcile;
mod report;
mod tests_of_plugin;
pub mod tools;
mod visit;
mod walk;

pub use inspect::inspect;
pub use policy::Policy;
pub use report::{Capabilities, Import, Inspection};
