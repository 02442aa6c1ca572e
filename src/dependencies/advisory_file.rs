//! The file of advisories: sorted, dated, and checked by hash where it is read.
//!
//! ```text
//! auton8n-advisories 1 <sha256 of the next line>
//! {"source":…,"date":…,"directoryBytes":…,"directorySha256":…}     the header, one line
//! [["first name", offset, bytes, "sha256"], …]                     the directory
//! name TAB [advisories]                                            blocks of lines, sorted by name
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::advisory::Advisory;
use crate::error::{Code, Error, Result};

pub(super) const MAGIC: &str = "auton8n-advisories 1 ";
const MAX_HEADER: usize = 64 << 10;
const MAX_DIRECTORY: u64 = 64 << 20;
const MAX_BLOCK: u64 = 64 << 20;

/// What a file says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// Where it came from.
    pub source: String,
    /// The day on which it was fetched.
    pub date: String,
    pub advisories: u64,
    pub packages: u64,
    /// Records of the source that could not be read.
    pub skipped: u64,
    pub directory_bytes: u64,
    pub directory_sha256: String,
}

/// First name, place, bytes and hash of a block.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Block(pub String, pub u64, pub u64, pub String);

/// An open file of advisories, about every package of npm.
#[derive(Debug)]
pub struct AdvisoryFile {
    pub header: Header,
    path: PathBuf,
    file: File,
    /// Where the blocks begin.
    start: u64,
    directory: Vec<Block>,
    /// The block that was read last: whoever asks in order reads each once.
    last: Option<(usize, Vec<u8>)>,
}

impl AdvisoryFile {
    /// Opens a file and checks its header and directory; `None` where there is none.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(path, "cannot be read").because(error)),
        };
        Self::checked(path, file).map(Some)
    }

    fn checked(path: &Path, mut file: File) -> Result<Self> {
        let broken = |why: &str| unusable(path, why);
        let mut head = vec![0; MAX_HEADER];
        let read = read_fully(&mut file, &mut head).map_err(|error| broken("cannot be read").because(error))?;
        head.truncate(read);
        let mut lines = head.splitn(3, |byte| *byte == b'\n');
        let (first, second) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        if lines.next().is_none() || !first.starts_with(MAGIC.as_bytes()) {
            return Err(broken("is no file of advisories of this version"));
        }
        if hex::encode(Sha256::digest(second)).as_bytes() != &first[MAGIC.len()..] {
            return Err(broken("is damaged: its header was changed"));
        }
        let header: Header = serde_json::from_slice(second)
            .map_err(|error| broken("has a header that cannot be read").because(error))?;
        if header.directory_bytes > MAX_DIRECTORY {
            return Err(broken("has a directory that is too large"));
        }
        let at = (first.len() + second.len() + 2) as u64;
        let mut directory = vec![0; header.directory_bytes as usize];
        file.seek(SeekFrom::Start(at))
            .and_then(|_| file.read_exact(&mut directory))
            .map_err(|error| broken("is cut off").because(error))?;
        if hex::encode(Sha256::digest(&directory)) != header.directory_sha256 {
            return Err(broken("is damaged: its directory was changed"));
        }
        Ok(Self {
            start: at + header.directory_bytes,
            directory: serde_json::from_slice(&directory)
                .map_err(|error| broken("has a directory that cannot be read").because(error))?,
            header,
            path: path.to_owned(),
            file,
            last: None,
        })
    }

    /// The advisories about a package.
    pub fn about(&mut self, name: &str) -> Result<Vec<Advisory>> {
        let at = self.directory.partition_point(|block| block.0.as_str() <= name);
        let Some(at) = at.checked_sub(1) else {
            return Ok(Vec::new());
        };
        if self.last.as_ref().is_none_or(|(index, _)| *index != at) {
            let bytes = self.block(at)?;
            self.last = Some((at, bytes));
        }
        let Some((_, bytes)) = &self.last else {
            return Ok(Vec::new());
        };
        for line in bytes.split(|byte| *byte == b'\n') {
            let Some(rest) = line
                .strip_prefix(name.as_bytes())
                .and_then(|rest| rest.strip_prefix(b"\t"))
            else {
                continue;
            };
            return serde_json::from_slice(rest)
                .map_err(|error| unusable(&self.path, "holds an entry that cannot be read").because(error));
        }
        Ok(Vec::new())
    }

    fn block(&mut self, at: usize) -> Result<Vec<u8>> {
        let Block(_, offset, length, hash) = &self.directory[at];
        if *length > MAX_BLOCK {
            return Err(unusable(&self.path, "has a block that is too large"));
        }
        let mut bytes = vec![0; *length as usize];
        self.file
            .seek(SeekFrom::Start(self.start.saturating_add(*offset)))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(|error| unusable(&self.path, "is cut off").because(error))?;
        if hex::encode(Sha256::digest(&bytes)) != *hash {
            return Err(unusable(&self.path, "is damaged: a part of it was changed"));
        }
        Ok(bytes)
    }
}

fn read_fully(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

fn unusable(path: &Path, why: &str) -> Error {
    let message = format!(
        "the file of advisories {} {why}; run `auton8n advisories update`, or take it away",
        path.display()
    );
    Error::new(Code::AdvisoriesUnusable, message)
}

/// The few advisories that ship with the package. They say what is bad, never that something is good.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    pub source: String,
    pub date: String,
    pub packages: BTreeMap<String, Vec<Advisory>>,
}

static SHIPPED: LazyLock<Snapshot> =
    // A test holds the file to its form, so nothing is lost here.
    LazyLock::new(|| serde_json::from_str(include_str!("data/snapshot.json")).unwrap_or_default());

impl Snapshot {
    /// The one that ships.
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// Advisories in it.
    pub fn advisories(&self) -> usize {
        let ids: std::collections::BTreeSet<&String> = self.packages.values().flatten().map(|one| &one.id).collect();
        ids.len()
    }
}
