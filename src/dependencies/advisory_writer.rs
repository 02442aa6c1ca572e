//! Makes the file of advisories out of OSV's archive of an ecosystem (`npm/all.zip`).

use std::collections::BTreeMap;
use std::io::{Read, Seek};

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::advisory::Advisory;
use super::advisory_file::{Block, Header, MAGIC};
use super::osv;
use crate::error::{Code, Error, Result};

/// Bytes of a block: small enough to be hashed in no time, large enough for a short directory.
const BLOCK: usize = 8 << 10;
/// Bytes of one record.
const MAX_RECORD: u64 = 16 << 20;
/// Bytes of all records together; all of npm's are a tenth of it.
const MAX_ALL: u64 = 8 << 30;
/// One record in so many may be unreadable before the archive is not believed.
const READABLE: u64 = 1_000;

/// What became of an archive.
#[derive(Debug)]
pub struct Built {
    pub header: Header,
    pub bytes: Vec<u8>,
}

/// Builds the file. `date` is the day on which the archive was fetched.
pub fn build(archive: impl Read + Seek, source: &str, date: &str) -> Result<Built> {
    let mut archive = ZipArchive::new(archive).map_err(|error| refused("is no zip archive").because(error))?;
    let mut packages: BTreeMap<String, Vec<Advisory>> = BTreeMap::new();
    let (mut records, mut skipped, mut left) = (0_u64, 0_u64, MAX_ALL);
    for index in 0..archive.len() {
        let file = archive
            .by_index(index)
            .map_err(|error| refused("is damaged").because(error))?;
        let is_record = file
            .name()
            .is_ok_and(|name| name.to_ascii_lowercase().ends_with(".json"));
        if file.is_dir() || !is_record {
            continue;
        }
        records += 1;
        let mut bytes = Vec::new();
        // The size that the archive promises is not believed.
        file.take(MAX_RECORD + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| refused("is damaged").because(error))?;
        if bytes.len() as u64 > MAX_RECORD {
            return Err(refused("holds a record that is too large"));
        }
        left = left
            .checked_sub(bytes.len() as u64)
            .ok_or_else(|| refused("is too large when unpacked"))?;
        match osv::read(&bytes) {
            Some(found) => {
                for (name, advisory) in found {
                    // A line of the file is a name and a tab.
                    if name.contains(['\t', '\n']) {
                        skipped += 1;
                    } else {
                        packages.entry(name).or_default().push(advisory);
                    }
                }
            }
            None => skipped += 1,
        }
    }
    if packages.is_empty() {
        return Err(refused("holds no advisory about a package of npm"));
    }
    if skipped > records.div_ceil(READABLE) {
        return Err(refused(&format!(
            "holds {skipped} records of {records} that cannot be read"
        )));
    }
    write(&packages, source, date, skipped)
}

fn write(packages: &BTreeMap<String, Vec<Advisory>>, source: &str, date: &str, skipped: u64) -> Result<Built> {
    let internal = |error| Error::new(Code::Internal, "the file of advisories cannot be written").because(error);
    let (mut blocks, mut directory) = (Vec::new(), Vec::new());
    let (mut block, mut first) = (Vec::new(), None);
    let mut close = |block: &mut Vec<u8>, first: &mut Option<&String>| {
        if let Some(name) = first.take() {
            let hash = hex::encode(Sha256::digest(&*block));
            directory.push(Block(name.clone(), blocks.len() as u64, block.len() as u64, hash));
            blocks.append(block);
        }
    };
    for (name, advisories) in packages {
        first.get_or_insert(name);
        block.extend_from_slice(name.as_bytes());
        block.push(b'\t');
        serde_json::to_writer(&mut block, advisories).map_err(internal)?;
        block.push(b'\n');
        if block.len() >= BLOCK {
            close(&mut block, &mut first);
        }
    }
    close(&mut block, &mut first);
    let directory = serde_json::to_vec(&directory).map_err(internal)?;
    let header = Header {
        source: source.to_owned(),
        date: date.to_owned(),
        advisories: packages.values().map(|list| list.len() as u64).sum(),
        packages: packages.len() as u64,
        skipped,
        directory_bytes: directory.len() as u64,
        directory_sha256: hex::encode(Sha256::digest(&directory)),
    };
    let line = serde_json::to_vec(&header).map_err(internal)?;
    let mut bytes = format!("{MAGIC}{}\n", hex::encode(Sha256::digest(&line))).into_bytes();
    bytes.extend(line);
    bytes.push(b'\n');
    bytes.extend(directory);
    bytes.extend(blocks);
    Ok(Built { header, bytes })
}

fn refused(why: &str) -> Error {
    let message = format!("the archive of advisories {why}; nothing was changed. Try again, or name another address");
    Error::new(Code::AdvisoriesUnusable, message)
}
