//! The policy of system calls: one data file for every engine.

/// The profile as container engines read it.
pub const PROFILE: &str = include_str!("seccomp.json");
