//! Finds secrets in text, files, trees and variables, and takes them out of what is logged.
//!
//! Literals with which tokens start are searched for first (`prefilter`); what stands at a hit is
//! confirmed by the rule's pattern in a bounded window or by code (`detectors`), with the checksum of
//! the format where it has one. Long runs and assignments are found beside that and judged by what
//! stands left of them. So any input costs linear time. Rules are data files in `rules/`.

mod allowlist;
mod assignment;
mod bare;
mod base58;
mod bech32;
mod bigram;
mod block;
mod boundary;
mod brief;
mod broken;
mod candidate;
mod catalogue;
mod chain;
mod checksum;
mod code;
mod colour;
mod context;
mod custom;
mod decoding;
mod detectors;
mod directory;
mod ending;
mod engine;
mod escaped;
mod fallback;
mod file;
mod finding;
mod fingerprint;
mod floating;
mod formats;
mod generic;
mod head;
mod hidden;
mod joints;
mod lead;
mod list;
mod loose;
mod macaroon;
mod mail;
mod markup;
mod named;
mod names;
mod naming;
mod options;
mod pair;
mod pieces;
mod place;
mod placeholder;
mod position;
mod prefilter;
mod public;
mod published;
mod randomness;
mod reach;
mod redaction;
mod report;
mod rule;
mod search;
mod severity;
mod starts;
mod stream;
mod sweep;
mod tail;
mod ternary;
#[cfg(test)]
mod tests;
#[cfg(target_os = "linux")]
mod tree;
mod variable;
mod words;
mod work;

pub use directory::DirectoryOptions;
pub use engine::{PatternInfo, Scanner};
pub use finding::{Finding, ScanResult, Skipped};
pub use options::{Allowed, AllowedEntry, CustomRuleData, EntropyLimits, EntropyOption, RuleSource, ScannerOptions};
pub use severity::Severity;
