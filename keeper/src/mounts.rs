//! The file system of a built-in box: a tmpfs of ours with read-only views of what it needs.

use std::ffi::CString;
use std::fs::{self, File};
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::path::Path;

use crate::sys::{c_string, check};

/// The new root is put together here. Nothing that a box is made of lies below it.
const ROOM: &str = "/proc";
const INODES: u32 = 20_000;
const SAFE: libc::c_ulong = libc::MS_NOSUID | libc::MS_NODEV;

/// One thing in the box.
pub enum Entry {
    Folder,
    Text(Vec<u8>),
    File(String),
    Tree(String),
}

fn mount(source: &str, target: &str, kind: &str, flags: libc::c_ulong, options: &str) -> Result<(), String> {
    let [source_c, target_c, kind_c, options_c] = [source, target, kind, options].map(c_string);
    let (source_c, target_c, kind_c, options_c) = (source_c?, target_c?, kind_c?, options_c?);
    let or_null = |text: &CString| {
        if text.is_empty() {
            std::ptr::null()
        } else {
            text.as_ptr()
        }
    };
    // SAFETY: all pointers are texts with a zero byte at the end, or null where the kernel allows it.
    let answer = unsafe {
        libc::mount(
            or_null(&source_c),
            target_c.as_ptr(),
            or_null(&kind_c),
            flags,
            or_null(&options_c).cast(),
        )
    };
    check(&format!("mount {source} at {target}"), answer).map(|_| ())
}

/// A view of a file or folder of the host that cannot be written through.
fn view(source: &str, target: &str, flags: libc::c_ulong) -> Result<(), String> {
    mount(source, target, "", libc::MS_BIND, "")?;
    mount(
        "",
        target,
        "",
        libc::MS_BIND | libc::MS_REMOUNT | libc::MS_RDONLY | flags,
        "",
    )
}

/// Builds the box's root and makes it the process's own.
pub fn enter(entries: &[(String, Entry)], tmp: u64, work: u64) -> Result<(), String> {
    mount("", "/", "", libc::MS_REC | libc::MS_PRIVATE, "")?;
    mount("tmpfs", ROOM, "tmpfs", SAFE, "size=4m,mode=755")?;
    for (path, entry) in entries {
        place(&format!("{ROOM}{path}"), entry).map_err(|why| format!("{path}: {why}"))?;
    }
    devices()?;
    let locked = SAFE | libc::MS_NOEXEC;
    mount(
        "tmpfs",
        &format!("{ROOM}/tmp"),
        "tmpfs",
        locked,
        &format!("size={tmp},mode=1777,nr_inodes={INODES}"),
    )?;
    let owned = format!("size={work},mode=755,uid=65533,gid=65533,nr_inodes={INODES}");
    mount("tmpfs", &format!("{ROOM}/sandbox/work"), "tmpfs", locked, &owned)?;
    // The job sees no process but its own.
    mount("proc", &format!("{ROOM}/proc"), "proc", locked, "hidepid=2")?;
    mask()?;
    pivot()?;
    mount(
        "",
        "/",
        "",
        libc::MS_REMOUNT | libc::MS_RDONLY | SAFE,
        "size=4m,mode=755",
    )
}

fn place(target: &str, entry: &Entry) -> Result<(), String> {
    let fault = |error: std::io::Error| error.to_string();
    match entry {
        Entry::Folder => fs::create_dir_all(target).map_err(fault),
        Entry::Text(bytes) => parent(target).and_then(|()| fs::write(target, bytes).map_err(fault)),
        Entry::File(source) => {
            parent(target)?;
            File::create(target).map_err(fault)?;
            view(source, target, SAFE)
        }
        Entry::Tree(source) => {
            fs::create_dir_all(target).map_err(fault)?;
            view(source, target, SAFE)
        }
    }
}

fn parent(target: &str) -> Result<(), String> {
    let folder = Path::new(target).parent().ok_or("it has no folder")?;
    fs::create_dir_all(folder).map_err(|error| error.to_string())
}

/// The devices of a box, by the numbers that the kernel gives them.
const DEVICES: [(&str, u32, u32); 5] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
];

fn devices() -> Result<(), String> {
    for (name, major, minor) in DEVICES {
        let (source, target) = (format!("/dev/{name}"), format!("{ROOM}/dev/{name}"));
        is_device(&source, major, minor)?;
        File::create(&target).map_err(|error| format!("{target}: {error}"))?;
        mount(&source, &target, "", libc::MS_BIND, "")?;
    }
    for (name, target) in [("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")] {
        symlink(format!("/proc/self/{target}"), format!("{ROOM}/dev/{name}")).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// A plain file may stand in a device's place, written over by a careless program of root's. In a box it
/// would be a file of the host's.
fn is_device(path: &str, major: u32, minor: u32) -> Result<(), String> {
    let meta = fs::symlink_metadata(path).map_err(|error| format!("{path}: {error}"))?;
    let right = meta.file_type().is_char_device() && meta.rdev() == libc::makedev(major, minor);
    right
        .then_some(())
        .ok_or_else(|| format!("{path} of this machine is not the device {major}:{minor}; make it anew by mknod"))
}

/// What of `/proc` tells of the whole machine or steers it.
fn mask() -> Result<(), String> {
    for name in [
        "kcore",
        "keys",
        "sysrq-trigger",
        "timer_list",
        "latency_stats",
        "sched_debug",
        "kallsyms",
        "kmsg",
    ] {
        let target = format!("{ROOM}/proc/{name}");
        if Path::new(&target).exists() {
            view("/dev/null", &target, libc::MS_NOSUID | libc::MS_NOEXEC)?;
        }
    }
    for name in ["sys", "bus", "fs", "irq", "acpi", "scsi"] {
        let target = format!("{ROOM}/proc/{name}");
        if Path::new(&target).exists() {
            view(&target, &target, SAFE | libc::MS_NOEXEC)?;
        }
    }
    Ok(())
}

/// The new root takes the old one's place, and the old one goes.
fn pivot() -> Result<(), String> {
    std::env::set_current_dir(ROOM).map_err(|error| error.to_string())?;
    let here = c_string(".")?;
    // SAFETY: both arguments are texts with a zero byte at the end.
    let answer = unsafe { libc::syscall(libc::SYS_pivot_root, here.as_ptr(), here.as_ptr()) };
    check("pivot_root", answer as libc::c_int)?;
    // SAFETY: as above. The old root lies on top of the new one.
    check("umount the host", unsafe {
        libc::umount2(here.as_ptr(), libc::MNT_DETACH)
    })?;
    std::env::set_current_dir("/").map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::is_device;

    #[test]
    fn only_the_device_itself_goes_into_a_box() {
        assert!(is_device("/dev/null", 1, 3).is_ok());
        assert!(is_device("/dev/null", 1, 5).is_err());
        assert!(is_device("/proc/self/exe", 1, 3).is_err());
        assert!(is_device("/etc/passwd", 1, 3).is_err());
    }
}
