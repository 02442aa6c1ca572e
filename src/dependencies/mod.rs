//! What a plugin depends on, and whether it may: names, sources, versions, advisories.
//!
//! Everything here is judgement over what was read already. Who asks a registry or a disk is the engine's business.

mod advisory;
mod advisory_file;
mod advisory_writer;
mod allow;
mod blocked;
mod bulk;
mod date;
mod facts;
mod finding;
mod judge;
mod known;
mod lock;
mod lookalike;
mod manifest;
mod npm_range;
mod options;
mod osv;
mod popular;
mod registry_name;
mod resolve;
mod rules;
mod sbom;
mod shown;
mod source;
mod tree;

#[cfg(test)]
mod tests;

pub use advisory::{Advisory, Touch};
pub use advisory_file::{AdvisoryFile, Header, Snapshot};
pub use advisory_writer::{Built, build};
pub use blocked::blocked;
pub use bulk::{BulkAnswer, bulk_request, read_bulk};
pub use date::{day_of, millis_of};
pub use facts::{Facts, Registered};
pub use finding::{DependencyReport, Finding, FindingCode, Severity, Standing};
pub use judge::judge;
pub use known::Known;
pub use lock::read_lock;
pub use manifest::{Kind, Manifest, read_manifest};
pub use options::DependencyOptions;
pub use resolve::{Resolver, exact_version};
pub use sbom::{Component, Subject, sbom};
pub use tree::{Node, Tree};
