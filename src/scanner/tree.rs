//! Reads a tree of files on Linux, on several threads. Each name is opened relative to its directory, which costs
//! half of what its whole path does, and no link is followed anywhere below the root.

use std::ffi::CStr;
use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ignore::overrides::Override;
use parking_lot::{Condvar, Mutex};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags};
use rustix::io::{Errno, Result};

/// Files of a directory that are known before the first is read.
const BATCH: usize = 1024;
/// Bytes of the buffer that the system fills with names.
const NAMES: usize = 32 * 1024;
/// Directories in which a project keeps no files of its own.
const LEFT_OUT: &CStr = c".git";

/// What is done with the files.
pub trait Visit {
    /// A file, which may not have opened, and its path below the root.
    fn file(&mut self, file: std::io::Result<File>, path: &str);
    /// A directory that cannot be read.
    fn fault(&mut self, path: &str, error: std::io::Error);
}

/// A tree that is being read.
pub struct Tree<'a> {
    root: OwnedFd,
    exclude: &'a Override,
    jobs: Mutex<Jobs>,
    more: Condvar,
    /// Threads that wait for a job.
    idle: AtomicUsize,
}

#[derive(Default)]
struct Jobs {
    /// The last one is taken first, so that few wait at a time.
    waiting: Vec<Job>,
    working: usize,
}

enum Job {
    /// The path of a directory below the root.
    Directory(Vec<u8>),
    Files(Files),
}

/// Files of one directory.
struct Files {
    directory: Arc<OwnedFd>,
    path: Arc<[u8]>,
    /// Names with their NUL, one after the other, and where each ends.
    names: Vec<u8>,
    ends: Vec<usize>,
}

impl<'a> Tree<'a> {
    /// The tree below `root`; `exclude` says what is left out.
    pub fn open(root: &Path, exclude: &'a Override) -> std::io::Result<Self> {
        let root = fs::open(root, directory_flags(), Mode::empty())?;
        let waiting = vec![Job::Directory(Vec::new())];
        Ok(Self {
            root,
            exclude,
            jobs: Mutex::new(Jobs { waiting, working: 0 }),
            more: Condvar::new(),
            idle: AtomicUsize::new(0),
        })
    }

    /// Takes part in the reading until there is nothing left; each thread calls it once.
    pub fn read(&self, visit: &mut impl Visit) {
        let mut names = Vec::with_capacity(NAMES);
        while let Some((job, _working)) = self.next() {
            match job {
                Job::Directory(path) => {
                    if let Err(error) = self.directory(&path, names.spare_capacity_mut(), visit) {
                        visit.fault(&String::from_utf8_lossy(&path), error.into());
                    }
                }
                Job::Files(files) => self.files(files, visit),
            }
        }
    }

    fn next(&self) -> Option<(Job, Working<'_, 'a>)> {
        let mut jobs = self.jobs.lock();
        loop {
            if let Some(job) = jobs.waiting.pop() {
                jobs.working += 1;
                return Some((job, Working(self)));
            }
            if jobs.working == 0 {
                return None;
            }
            self.idle.fetch_add(1, Ordering::Relaxed);
            self.more.wait(&mut jobs);
            self.idle.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn add(&self, jobs: impl IntoIterator<Item = Job>) {
        self.jobs.lock().waiting.extend(jobs);
        self.more.notify_all();
    }

    fn directory(&self, path: &[u8], buffer: &mut [MaybeUninit<u8>], visit: &mut impl Visit) -> Result<()> {
        let directory = Arc::new(self.open_directory(path)?);
        let inside: Arc<[u8]> = if path.is_empty() {
            Vec::new()
        } else {
            [path, b"/"].concat()
        }
        .into();
        let none = || Files {
            directory: Arc::clone(&directory),
            path: Arc::clone(&inside),
            names: Vec::new(),
            ends: Vec::new(),
        };
        let mut files = none();
        let mut directories = Vec::new();
        let mut entries = RawDir::new(&*directory, buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") || name == LEFT_OUT {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => match fs::statat(&*directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(status) => FileType::from_raw_mode(status.st_mode),
                    Err(error) => {
                        visit.fault(&shown(&inside, name), error.into());
                        continue;
                    }
                },
                kind => kind,
            };
            // Pipes, sockets and devices would block; links lead elsewhere.
            if !matches!(kind, FileType::RegularFile | FileType::Directory) || self.is_excluded(&inside, name, kind) {
                continue;
            }
            if kind == FileType::Directory {
                directories.push(Job::Directory([&inside, name.to_bytes()].concat()));
                continue;
            }
            files.push(name);
            if files.ends.len() == BATCH {
                self.add(directories.drain(..));
                self.files(std::mem::replace(&mut files, none()), visit);
            }
        }
        if !directories.is_empty() {
            self.add(directories);
        }
        self.files(files, visit);
        Ok(())
    }

    /// The directory at a path below the root, with no link on the way.
    fn open_directory(&self, path: &[u8]) -> Result<OwnedFd> {
        let path = if path.is_empty() { b"." } else { path };
        let strict = fs::openat2(
            &self.root,
            path,
            directory_flags(),
            Mode::empty(),
            ResolveFlags::NO_SYMLINKS,
        );
        match strict {
            // Before Linux 5.6, or where a container forbids it.
            Err(Errno::NOSYS | Errno::PERM) => fs::openat(&self.root, path, directory_flags(), Mode::empty()),
            opened => opened,
        }
    }

    fn is_excluded(&self, inside: &[u8], name: &CStr, kind: FileType) -> bool {
        !self.exclude.is_empty()
            && self
                .exclude
                .matched(shown(inside, name), kind == FileType::Directory)
                .is_ignore()
    }

    fn files(&self, mut files: Files, visit: &mut impl Visit) {
        // Where names are UTF-8, as nearly everywhere, the path is written into one buffer.
        let mut path = String::from_utf8_lossy(&files.path).into_owned();
        let start = path.len();
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        loop {
            if self.idle.load(Ordering::Relaxed) > 0
                && let Some(half) = files.half()
            {
                self.add([Job::Files(half)]);
            }
            let Some(name) = files.last() else {
                return;
            };
            path.truncate(start);
            path.push_str(&name.to_string_lossy());
            let file = fs::openat(&*files.directory, name, flags, Mode::empty());
            visit.file(file.map(File::from).map_err(Into::into), &path);
            files.pop();
        }
    }
}

impl Files {
    fn push(&mut self, name: &CStr) {
        self.names.extend_from_slice(name.to_bytes_with_nul());
        self.ends.push(self.names.len());
    }

    fn start_of_last(&self) -> usize {
        match self.ends[..] {
            [.., before, _] => before,
            _ => 0,
        }
    }

    fn last(&self) -> Option<&CStr> {
        CStr::from_bytes_until_nul(self.names.get(self.start_of_last()..)?).ok()
    }

    fn pop(&mut self) {
        self.names.truncate(self.start_of_last());
        self.ends.pop();
    }

    /// Half of the files, for another thread; nothing where there is one only.
    fn half(&mut self) -> Option<Self> {
        let kept = self.ends.len() / 2;
        if kept == 0 {
            return None;
        }
        let border = self.ends[kept - 1];
        let ends = self.ends.split_off(kept).iter().map(|end| end - border).collect();
        Some(Self {
            directory: Arc::clone(&self.directory),
            path: Arc::clone(&self.path),
            names: self.names.split_off(border),
            ends,
        })
    }
}

/// A job that is being done; also one that panics is done.
struct Working<'t, 'a>(&'t Tree<'a>);

impl Drop for Working<'_, '_> {
    fn drop(&mut self) {
        let mut jobs = self.0.jobs.lock();
        jobs.working -= 1;
        if jobs.working == 0 && jobs.waiting.is_empty() {
            self.0.more.notify_all();
        }
    }
}

fn directory_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

fn shown(inside: &[u8], name: &CStr) -> String {
    String::from_utf8_lossy(&[inside, name.to_bytes()].concat()).into_owned()
}
