//! Files of the job, read by a helper that is the job's user, when all of the job is dead.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::identity::{self, JOB};
use crate::put::{WORK, is_plain};
use crate::sys;
use crate::wire::{CHUNK, Fields, blob, fail, from_keeper, send};

const MAX_DEPTH: usize = 16;
const MAX_ENTRIES: usize = 100_000;

struct Caps {
    bytes: u64,
    files: u32,
    entries: usize,
}

/// Answers with the files and `DONE`, or with `FAIL`.
pub fn collect(body: &[u8]) -> Result<(), String> {
    let mut fields = Fields::new(body);
    let mut caps = Caps {
        bytes: fields.u64()?,
        files: fields.u32()?,
        entries: MAX_ENTRIES,
    };
    let paths = fields.texts()?;
    let child = sys::fork()?;
    if child == 0 {
        let outcome = identity::become_plain(JOB).and_then(|()| take_all(&paths, &mut caps));
        let told = match outcome {
            Ok(()) => send(from_keeper::DONE, &[]),
            Err(message) => fail(&message),
        };
        sys::leave(i32::from(told.is_err()));
    }
    if sys::wait_for(child) == 0 {
        Ok(())
    } else {
        Err("the collector did not end well".to_owned())
    }
}

fn take_all(paths: &[String], caps: &mut Caps) -> Result<(), String> {
    paths.iter().try_for_each(|path| {
        let path = path.trim_end_matches('/');
        if path != "." && !is_plain(path) {
            return Err(format!("{path:?} is not a path below the working directory"));
        }
        // A folder on the way must not be a link either.
        let mut on_the_way = Path::new(WORK).to_path_buf();
        for part in Path::new(path).parent().into_iter().flat_map(Path::components) {
            on_the_way.push(part);
            if fs::symlink_metadata(&on_the_way).map_or(true, |meta| !meta.is_dir()) {
                return Ok(());
            }
        }
        take(path, 0, caps)
    })
}

/// Takes a file or a folder. What is neither, or is gone, is left out.
fn take(path: &str, depth: usize, caps: &mut Caps) -> Result<(), String> {
    caps.entries = caps
        .entries
        .checked_sub(1)
        .ok_or("there are too many entries to collect")?;
    let real = Path::new(WORK).join(path);
    let Ok(meta) = fs::symlink_metadata(&real) else {
        return Ok(());
    };
    if meta.is_file() {
        return send_file(path, &real, caps);
    }
    if !meta.is_dir() {
        return Ok(());
    }
    if depth >= MAX_DEPTH {
        return Err(format!("{path} is nested too deeply to collect"));
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(&real).map_err(|error| format!("cannot read {path}: {error}"))? {
        let entry = entry.map_err(|error| format!("cannot read {path}: {error}"))?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|_| format!("a name in {path} is not UTF-8"))?;
        names.push(name);
        if names.len() > caps.entries {
            return Err("there are too many entries to collect".to_owned());
        }
    }
    names.sort_unstable();
    for name in names {
        let below = if path == "." { name } else { format!("{path}/{name}") };
        take(&below, depth + 1, caps)?;
    }
    Ok(())
}

fn send_file(path: &str, real: &Path, caps: &mut Caps) -> Result<(), String> {
    caps.files = caps.files.checked_sub(1).ok_or("there are too many files to collect")?;
    let mut file = File::open(real).map_err(|error| format!("cannot read {path}: {error}"))?;
    let name = blob(path.as_bytes());
    let mut buffer = vec![0; CHUNK];
    let mut begin = 1_u8;
    loop {
        let count = file
            .read(&mut buffer)
            .map_err(|error| format!("cannot read {path}: {error}"))?;
        if count == 0 && begin == 0 {
            return Ok(());
        }
        caps.bytes = caps
            .bytes
            .checked_sub(count as u64)
            .ok_or("there are too many bytes to collect")?;
        send(from_keeper::FILE, &[&[begin], &name, &buffer[..count]])?;
        begin = 0;
        if count == 0 {
            return Ok(());
        }
    }
}
