//! The room as its users see it.

mod advisories;
mod hostile;
mod locks;
mod names;
mod osv;
mod ranges;
mod resolving;

use super::{
    AdvisoryFile, DependencyOptions, DependencyReport, Facts, FindingCode, Known, Resolver, build, judge, read_lock,
    read_manifest,
};
use serde_json::Value;

/// A day in 2026.
pub const NOW: i64 = 1_780_000_000_000;

/// Judges offline what a manifest says, with a lock file or without.
pub fn offline(manifest: &Value, lock: Option<&Value>) -> DependencyReport {
    judged(
        manifest,
        lock,
        &DependencyOptions::default(),
        &Facts::default(),
        Known::default(),
    )
}

pub fn judged(
    manifest: &Value,
    lock: Option<&Value>,
    options: &DependencyOptions,
    facts: &Facts,
    mut known: Known,
) -> DependencyReport {
    let manifest = read_manifest(&manifest.to_string(), &options.omitted().unwrap()).unwrap();
    let tree = if let Some(lock) = lock {
        read_lock(&lock.to_string(), &manifest).unwrap()
    } else {
        let mut resolver = Resolver::new(&manifest);
        while !resolver.is_done() {
            resolver.advance(facts);
        }
        resolver.finish(facts)
    };
    judge(&manifest, &tree, facts, &mut known, options, NOW).unwrap()
}

/// The codes of what was found about a package.
pub fn codes(report: &DependencyReport, package: &str) -> Vec<FindingCode> {
    let about = report.findings.iter().filter(|finding| finding.package == package);
    let mut codes: Vec<FindingCode> = about.map(|finding| finding.code).collect();
    codes.sort();
    codes.dedup();
    codes
}

/// A file of advisories made of OSV records, opened.
pub fn file_of(records: &[Value]) -> (tempfile::TempDir, AdvisoryFile) {
    let folder = tempfile::tempdir().unwrap();
    let built = build(std::io::Cursor::new(zip_of(records)), "test", "2026-05-28").unwrap();
    let path = folder.path().join("npm.advisories");
    std::fs::write(&path, built.bytes).unwrap();
    let file = AdvisoryFile::open(&path).unwrap().unwrap();
    (folder, file)
}

/// An archive in the form of OSV's.
pub fn zip_of(records: &[Value]) -> Vec<u8> {
    use std::io::Write;
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (index, record) in records.iter().enumerate() {
        let name = record["id"]
            .as_str()
            .map_or_else(|| format!("{index}.json"), |id| format!("{id}.json"));
        writer
            .start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(record.to_string().as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
