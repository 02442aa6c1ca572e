//! All that is known of advisories: the list and the snapshot that ship, the file, and the registry's answer.

use std::collections::HashMap;

use super::advisory::Advisory;
use super::advisory_file::{AdvisoryFile, Snapshot};
use super::blocked::{Blocked, blocked};
use super::bulk::BulkAnswer;
use crate::error::Result;

/// What a judge looks into.
#[derive(Debug, Default)]
pub struct Known {
    /// Covers every package of npm.
    pub file: Option<AdvisoryFile>,
    /// Covers what was asked.
    pub bulk: Option<BulkAnswer>,
    /// Why the registry did not say anything.
    pub silence: Option<String>,
    /// A package stands in a tree at many places.
    read: HashMap<String, Vec<Advisory>>,
}

impl Known {
    /// What ships, and a file where there is one.
    pub fn new(file: Option<AdvisoryFile>) -> Self {
        Self {
            file,
            ..Self::default()
        }
    }

    /// The advisories about a package, and whether what they do not mention is clean.
    pub fn about(&mut self, name: &str) -> Result<(&[Advisory], bool)> {
        let answered = self.bulk.as_ref().is_some_and(|bulk| bulk.asked.contains(name));
        let covered = answered || self.file.is_some();
        if !self.read.contains_key(name) {
            let mut found: Vec<Advisory> = blocked().get(name).map(Blocked::advisory).into_iter().collect();
            if let Some(file) = &mut self.file {
                found.extend(file.about(name)?);
            }
            if let Some(bulk) = &self.bulk {
                found.extend(bulk.advisories.get(name).cloned().unwrap_or_default());
            }
            // Whoever covers a package knows better than a few records of another day.
            if !covered {
                found.extend(Snapshot::shipped().packages.get(name).cloned().unwrap_or_default());
            }
            self.read.insert(name.to_owned(), found);
        }
        Ok((self.read.get(name).map_or(&[], Vec::as_slice), covered))
    }

    /// The day of the data.
    pub fn as_of(&self) -> String {
        match (&self.bulk, &self.file) {
            (Some(bulk), _) => bulk.day.clone(),
            (None, Some(file)) => file.header.date.clone(),
            (None, None) => Snapshot::shipped().date.clone(),
        }
    }
}
