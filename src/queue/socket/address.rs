//! Where the socket lies. The path of a socket may have 107 bytes; a longer one is reached
//! through the open directory.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use crate::store::DataDirectory;

const LONGEST: usize = 100;

fn reach<T>(directory: &DataDirectory, use_path: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let path = directory.path().join(directory.socket());
    if path.as_os_str().len() <= LONGEST {
        return use_path(&path);
    }
    let open = File::open(directory.path())?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd()));
    use_path(&short.join(directory.socket()))
}

/// Listens; only the owner's user may connect. Whoever holds the directory may remove what an
/// earlier owner left.
pub fn bind(directory: &DataDirectory) -> io::Result<UnixListener> {
    reach(directory, |path| {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    })
}

/// Connects to the owner.
pub fn connect(directory: &DataDirectory) -> io::Result<UnixStream> {
    let stream = reach(directory, |path| std::os::unix::net::UnixStream::connect(path))?;
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

/// Removes the socket.
pub fn remove(directory: &DataDirectory) {
    // One that stays is removed by the next owner.
    let _ = std::fs::remove_file(directory.path().join(directory.socket()));
}
