//! Stage *package*: files, tarball and report are put in place, all or nothing.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::candidate::Candidate;
use super::dependencies::components;
use super::report::{Check, CreationReport, ReportedFile, Where};
use super::stage::Stage;
use super::tarball;
use crate::dependencies::{Subject, sbom};
use crate::error::{Code, Error, Result};
use crate::files::{FileSet, check_path};
use crate::toolchain::LockedTool;

/// What a completed creation leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreatedPlugin {
    pub name: String,
    pub version: String,
    pub directory: PathBuf,
    pub tarball: PathBuf,
    pub report: CreationReport,
}

/// A package that lies in a folder of its own beside its place, and is not in it yet.
pub struct Parcel {
    staging: PathBuf,
    target: PathBuf,
    name: String,
    version: String,
    tarball_name: String,
    checks: [Check; 2],
}

/// Beside the report: what went in, as `CycloneDX` has it.
const SBOM: &str = "sbom.cdx.json";

/// Writes files, tarball and the list of what went in beside `target`.
pub fn stage(candidate: &Candidate, target: &Path, id: &str, packages: &[LockedTool], now_ms: i64) -> Result<Parcel> {
    let (name, version) = identity(candidate)?;
    let files = candidate.all();
    let bytes = tarball::pack(&files)?;
    let tarball_name = tarball::file_name(&name, &version);
    let parent = target
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let staging = parent.join(format!(".auton8n-{id}"));
    // A crash may have left half a parcel there.
    remove(&staging)?;
    write(&staging, &files)
        .and_then(|()| fs::write(staging.join(&tarball_name), &bytes))
        .map_err(|error| {
            let _ = fs::remove_dir_all(&staging);
            unwritable(target, error)
        })?;
    let hash = hex::encode(Sha256::digest(&bytes));
    let (list, listed) = listed(candidate, &name, &version, &hash, id, packages, now_ms)?;
    fs::write(staging.join(SBOM), &list).map_err(|error| {
        let _ = fs::remove_dir_all(&staging);
        unwritable(target, error)
    })?;
    let check = Check::of(Stage::Package, Where::Host)
        .counting("files", files.len() as u64)
        .counting("tarballBytes", bytes.len() as u64)
        .saying(&format!("{tarball_name} sha256 {hash}"))
        .judged(Vec::new());
    Ok(Parcel {
        staging,
        target: target.to_owned(),
        name,
        version,
        tarball_name,
        checks: [check, listed],
    })
}

/// The list of what went in, and its line in the report.
fn listed(
    candidate: &Candidate,
    name: &str,
    version: &str,
    hash: &str,
    id: &str,
    packages: &[LockedTool],
    now_ms: i64,
) -> Result<(Vec<u8>, Check)> {
    let subject = Subject {
        name: name.to_owned(),
        version: version.to_owned(),
        sha256: Some(hash.to_owned()),
    };
    let components = components(candidate, packages);
    // A job's id is a UUID, so a list can be traced to its job.
    let serial = Uuid::parse_str(id).unwrap_or_else(|_| Uuid::now_v7()).to_string();
    let list = serde_json::to_vec_pretty(&sbom(&subject, &components, &serial, now_ms))
        .map_err(|error| Error::new(Code::Internal, "the list of what went in could not be written").because(error))?;
    let check = Check::named("package: sbom", Where::Host)
        .counting("components", components.len() as u64)
        .saying(&format!("{SBOM} sha256 {}", hex::encode(Sha256::digest(&list))))
        .judged(Vec::new());
    Ok((list, check))
}

impl Parcel {
    /// The stage's checks.
    pub const fn checks(&self) -> &[Check; 2] {
        &self.checks
    }

    /// Adds the report and moves all of it to its place.
    pub fn deliver(self, report: CreationReport) -> Result<CreatedPlugin> {
        let text = serde_json::to_vec_pretty(&report)
            .map_err(|error| Error::new(Code::Internal, "the report could not be written as JSON").because(error))?;
        let moved =
            fs::write(self.staging.join("report.json"), text).and_then(|()| replace(&self.staging, &self.target));
        if let Err(error) = moved {
            let _ = fs::remove_dir_all(&self.staging);
            return Err(unwritable(&self.target, error));
        }
        let directory = fs::canonicalize(&self.target).unwrap_or(self.target);
        let tarball = directory.join(&self.tarball_name);
        Ok(CreatedPlugin {
            name: self.name,
            version: self.version,
            directory,
            tarball,
            report,
        })
    }
}

/// Name and version as the manifest has them.
fn identity(candidate: &Candidate) -> Result<(String, String)> {
    let manifest: serde_json::Value = candidate
        .scaffold
        .get("package.json")
        .and_then(|bytes| serde_json::from_slice(bytes).ok())
        .ok_or_else(|| Error::new(Code::Internal, "the plugin has no readable package.json"))?;
    match (manifest["name"].as_str(), manifest["version"].as_str()) {
        (Some(name), Some(version)) => Ok((name.to_owned(), version.to_owned())),
        _ => Err(Error::new(
            Code::Internal,
            "the plugin's package.json has no name or version",
        )),
    }
}

/// Digests of all files, for the report.
pub fn digests(files: &FileSet) -> Vec<ReportedFile> {
    files
        .iter()
        .map(|(path, bytes)| ReportedFile {
            path: path.clone(),
            sha256: hex::encode(Sha256::digest(bytes)),
            bytes: bytes.len() as u64,
        })
        .collect()
}

fn write(root: &Path, files: &FileSet) -> std::io::Result<()> {
    fs::create_dir_all(root)?;
    for (path, bytes) in files {
        check_path(path).map_err(std::io::Error::other)?;
        let place = root.join(path);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(place, bytes)?;
    }
    Ok(())
}

/// An empty folder in the way is no obstacle; a full one is not overwritten.
fn replace(from: &Path, to: &Path) -> std::io::Result<()> {
    match fs::remove_dir(to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(from, to)
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unwritable(path, error)),
        _ => Ok(()),
    }
}

/// Why a folder cannot take a plugin, before any work is done for it.
pub fn check_target(target: &Path) -> Result<()> {
    match fs::read_dir(target) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(Error::new(
                Code::OptionInvalid,
                format!(
                    "{} is not empty; name a folder that does not exist yet",
                    target.display()
                ),
            )),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unwritable(target, error)),
    }
}

fn unwritable(path: &Path, error: std::io::Error) -> Error {
    Error::new(
        Code::FileUnreadable,
        format!(
            "the plugin cannot be written to {}; free the place or name another",
            path.display()
        ),
    )
    .because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate() -> Candidate {
        let mut candidate = Candidate::default();
        candidate.scaffold.insert(
            "package.json".into(),
            br#"{"name":"@a/plugin-b","version":"1.2.3","files":["dist"]}"#.to_vec(),
        );
        candidate
            .sources
            .insert("src/index.ts".into(), b"export default {}".to_vec());
        candidate
    }

    #[test]
    fn a_staged_parcel_is_not_in_its_place_before_it_is_delivered() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("plugin-b");
        let parcel = stage(&candidate(), &target, "job", &[], 0).unwrap();
        assert!(!target.exists());
        let created = parcel.deliver(super::super::verdict::tests::report()).unwrap();
        assert_eq!(created.name, "@a/plugin-b");
        assert!(target.join("src/index.ts").is_file() && target.join("report.json").is_file());
        assert!(created.tarball.ends_with("a-plugin-b-1.2.3.tgz") && created.tarball.is_file());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_full_folder_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mine"), "x").unwrap();
        assert_eq!(check_target(folder.path()).unwrap_err().code(), Code::OptionInvalid);
        let parcel = stage(&candidate(), folder.path(), "job", &[], 0).unwrap();
        assert!(parcel.deliver(super::super::verdict::tests::report()).is_err());
        assert_eq!(fs::read(folder.path().join("mine")).unwrap(), b"x");
    }

    #[test]
    fn a_path_that_leaves_the_package_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut candidate = candidate();
        candidate.sources.insert("../escaped".into(), b"x".to_vec());
        assert!(stage(&candidate, &folder.path().join("p"), "job", &[], 0).is_err());
        assert!(!folder.path().join("escaped").exists());
    }
}
