//! Unpacks one npm package: regular files and folders, below one folder, bounded.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tar::EntryType;

/// What one package may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Bytes of the unpacked archive, headers included.
    pub bytes: u64,
    pub entries: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            bytes: 512 << 20,
            entries: 50_000,
        }
    }
}

/// Unpacks a `.tgz` below `target`, which must not hold anything that others can change.
///
/// Left out: source maps and texts for people, which no tool reads. The error says what was refused.
pub(super) fn unpack(compressed: impl Read, target: &Path, bounds: Bounds) -> io::Result<()> {
    let bounded = Bounded {
        inner: MultiGzDecoder::new(compressed),
        left: bounds.bytes,
    };
    let mut archive = tar::Archive::new(bounded);
    let mut seen = 0;
    std::fs::create_dir_all(target)?;
    for entry in archive.entries()? {
        let mut entry = entry?;
        seen += 1;
        if seen > bounds.entries {
            return Err(refused(format!("it has more than {} entries", bounds.entries)));
        }
        let kind = entry.header().entry_type();
        let shown = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        match kind {
            EntryType::XGlobalHeader => continue,
            EntryType::Regular | EntryType::Continuous | EntryType::Directory => {}
            other => {
                return Err(refused(format!("{shown:?} is a {other:?}, neither file nor folder")));
            }
        }
        let path = inner_path(&entry.path_bytes()).map_err(|why| refused(format!("{shown:?} {why}")))?;
        let Some(path) = path else { continue };
        let path = target.join(path);
        if kind == EntryType::Directory {
            make_folder(&path)?;
        } else if is_wanted(&path) {
            if let Some(parent) = path.parent() {
                make_folder(parent)?;
            }
            write_file(&mut entry, &path)?;
        }
    }
    Ok(())
}

/// The path without the archive's outermost folder, `None` for that folder itself.
fn inner_path(raw: &[u8]) -> Result<Option<PathBuf>, &'static str> {
    let text = std::str::from_utf8(raw).map_err(|_| "is not UTF-8")?;
    if text.bytes().any(|byte| byte < 0x20 || byte == b'\\' || byte == b':') {
        return Err("has a character that a path may not have");
    }
    let mut inner = PathBuf::new();
    let mut depth = 0;
    for component in Path::new(text).components() {
        match component {
            Component::Normal(part) => {
                if depth > 0 {
                    inner.push(part);
                }
                depth += 1;
            }
            Component::CurDir => {}
            _ => return Err("leaves its package"),
        }
    }
    if depth > 32 || text.len() > 512 {
        return Err("is too long");
    }
    Ok(if inner.as_os_str().is_empty() {
        None
    } else {
        Some(inner)
    })
}

/// Never drops what a program may load: only maps and texts go.
fn is_wanted(path: &Path) -> bool {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    !["map", "md", "markdown", "flow"].contains(&extension.to_ascii_lowercase().as_str())
}

fn write_file(entry: &mut impl Read, path: &Path) -> io::Result<()> {
    let mut file = create(path)?;
    io::copy(entry, &mut file)?;
    file.flush()
}

#[cfg(unix)]
fn create(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o644)
        .open(path)?;
    // The user's umask may be stricter than what the sandbox's users need.
    file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
    Ok(file)
}

#[cfg(not(unix))]
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).open(path)
}

/// Makes a folder that the sandbox's users can read.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_folder(parent)?;
    }
    match std::fs::create_dir(path) {
        // Another thread unpacks a neighbour.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        other => other?,
    }
    set_mode(path, 0o755)
}

/// Sets the mode where the system has one.
pub(super) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}

fn refused(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Ends with an error where `take` would end quietly.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => return Err(refused("it unpacks to more than it may".to_owned())),
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::super::hostile_registry::{Archive, tgz};
    use super::*;

    fn try_unpack(archive: &[Archive]) -> io::Result<tempfile::TempDir> {
        let folder = tempfile::tempdir()?;
        let bounds = Bounds {
            bytes: 1 << 20,
            entries: 100,
        };
        unpack(tgz(archive).as_slice(), &folder.path().join("a/b"), bounds)?;
        Ok(folder)
    }

    #[test]
    fn files_come_out_below_the_target_without_the_outer_folder() {
        let folder = try_unpack(&[
            Archive::Folder("package/"),
            Archive::File("package/package.json", b"{}"),
            Archive::File("other-root/lib/x.d.ts", b"x"),
            Archive::File("package/x.js.map", b"map"),
            Archive::File("package/README.md", b"text"),
        ])
        .unwrap();
        let target = folder.path().join("a/b");
        assert_eq!(std::fs::read(target.join("package.json")).unwrap(), b"{}");
        assert_eq!(std::fs::read(target.join("lib/x.d.ts")).unwrap(), b"x");
        assert!(!target.join("x.js.map").exists());
        assert!(!target.join("README.md").exists());
    }

    #[cfg(unix)]
    #[test]
    fn no_file_keeps_an_executable_bit() {
        use std::os::unix::fs::PermissionsExt;
        let folder = try_unpack(&[Archive::File("package/run", b"#!/bin/sh")]).unwrap();
        let mode = std::fs::metadata(folder.path().join("a/b/run"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o7777, 0o644);
    }

    #[test]
    fn nothing_leaves_the_target() {
        for hostile in [
            Archive::File("package/../../../escaped", b"x"),
            Archive::File("../escaped", b"x"),
            Archive::File("/tmp/escaped", b"x"),
            Archive::File("package/a\\..\\b", b"x"),
            Archive::File("package/c:x", b"x"),
            Archive::Link("package/link", "/etc/passwd"),
            Archive::HardLink("package/link", "/etc/passwd"),
            Archive::Fifo("package/fifo"),
        ] {
            let error = try_unpack(std::slice::from_ref(&hostile)).expect_err(&format!("{hostile:?}"));
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{hostile:?}: {error}");
        }
    }

    #[test]
    fn a_bomb_is_stopped() {
        let zeros = vec![0; 2 << 20];
        assert!(
            try_unpack(&[Archive::File("package/bomb", &zeros)])
                .unwrap_err()
                .to_string()
                .contains("more than")
        );
        let names: Vec<String> = (0..200).map(|index| format!("package/{index}")).collect();
        let many: Vec<_> = names.iter().map(|name| Archive::File(name, b"")).collect();
        assert!(try_unpack(&many).unwrap_err().to_string().contains("entries"));
    }

    #[test]
    fn a_cut_archive_is_an_error() {
        let whole = tgz(&[Archive::File("package/a", &[7; 5000])]);
        let folder = tempfile::tempdir().unwrap();
        assert!(unpack(&whole[..whole.len() / 2], folder.path(), Bounds::default()).is_err());
        assert!(unpack(&b"not gzip"[..], folder.path(), Bounds::default()).is_err());
    }
}
