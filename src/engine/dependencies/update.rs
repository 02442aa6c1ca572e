//! Fetches OSV's archive of npm's advisories and makes the file of it.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{environment, own_advisories_path};
use crate::clock::SharedClock;
use crate::dependencies::{Header, build, day_of};
use crate::error::{Code, Error, Result};
use crate::toolchain::RegistryClient;

/// All of npm's advisories, as osv.dev publishes them.
const SOURCE: &str = "https://osv-vulnerabilities.storage.googleapis.com/npm/all.zip";
/// Bytes of the archive.
const MAX_ARCHIVE: u64 = 2 << 30;

/// What an update may be told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct UpdateOptions {
    /// Where the archive is: an address, or a file that somebody brought.
    pub from: Option<String>,
    /// What the archive's SHA-256 must be.
    pub sha256: Option<String>,
    /// Where the file is put. Default: where checks look for it.
    pub to: Option<PathBuf>,
}

/// Fetches, builds and puts the file in its place, all or nothing; answers what it says of itself.
pub async fn update(options: UpdateOptions, clock: SharedClock, token: CancellationToken) -> Result<Value> {
    let work = tokio::task::spawn_blocking({
        let token = token.clone();
        move || update_now(&options, &clock, &token)
    });
    let lost = |error| Error::new(Code::Internal, "the update of advisories stopped; please report it").because(error);
    tokio::select! {
        done = work => done.map_err(lost)?,
        () = token.cancelled() => Err(Error::new(Code::Cancelled, "the update of advisories was cancelled")),
    }
}

fn update_now(options: &UpdateOptions, clock: &SharedClock, token: &CancellationToken) -> Result<Value> {
    let target = options.to.clone().unwrap_or_else(own_advisories_path);
    let source = options.from.as_deref().unwrap_or(SOURCE);
    let folder = target.parent().map(PathBuf::from).unwrap_or_default();
    let unwritable = |error: std::io::Error| {
        let message = format!(
            "the file of advisories cannot be written to {}; free the place or name another",
            target.display()
        );
        Error::new(Code::FileUnreadable, message).because(error)
    };
    std::fs::create_dir_all(&folder).map_err(unwritable)?;
    // Two updates at once do not meet; the later one stays.
    let own = Uuid::now_v7();
    let staged = folder.join(format!(".advisories-{own}"));
    let archive = folder.join(format!(".archive-{own}"));
    let made = (|| {
        let (mut file, hash) = fetched(source, &archive, token)?;
        if let Some(expected) = &options.sha256
            && !expected.eq_ignore_ascii_case(&hash)
        {
            let message = format!("the archive has the SHA-256 {hash}, not {expected}; nothing was changed");
            return Err(Error::new(Code::AdvisoriesUnusable, message));
        }
        file.seek(SeekFrom::Start(0)).map_err(unwritable)?;
        let built = build(std::io::BufReader::new(file), source, &day_of(clock.now_ms()))?;
        std::fs::write(&staged, &built.bytes).map_err(unwritable)?;
        std::fs::rename(&staged, &target).map_err(unwritable)?;
        Ok((built.header, built.bytes.len(), hash))
    })();
    // What is left of a failure is taken away; what is not there does not matter.
    let _ = std::fs::remove_file(&staged);
    let _ = std::fs::remove_file(&archive);
    let (header, bytes, hash): (Header, usize, String) = made?;
    Ok(json!({ "path": target, "bytes": bytes, "archiveSha256": hash, "header": header }))
}

/// The archive, open for reading, and its SHA-256.
fn fetched(source: &str, archive: &PathBuf, token: &CancellationToken) -> Result<(File, String)> {
    let unusable = |why: String| {
        let message = format!("the archive of advisories {source} cannot be had: {why}; name another by --from");
        Error::new(Code::AdvisoriesUnusable, message)
    };
    let is_address = source.starts_with("http://") || source.starts_with("https://");
    if !is_address {
        let mut file = File::open(source).map_err(|error| unusable(error.to_string()))?;
        let mut hash = Hashing::default();
        std::io::copy(&mut file, &mut hash).map_err(|error| unusable(error.to_string()))?;
        return Ok((file, hash.hex()));
    }
    let open = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(archive);
    let mut file = open.map_err(|error| unusable(error.to_string()))?;
    let client = RegistryClient::new(&environment(), None, None);
    let hash = client
        .download(source, MAX_ARCHIVE, &mut file, token)
        .map_err(unusable)?;
    Ok((file, hash))
}

/// Takes bytes for their hash only.
#[derive(Default)]
struct Hashing(sha2::Sha256);

impl Hashing {
    fn hex(self) -> String {
        use sha2::Digest;
        hex::encode(self.0.finalize())
    }
}

impl std::io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        use sha2::Digest;
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
