//! The kernel's groups that limit a built-in box.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::sandbox::owner::{self, Owner};
use crate::sandbox::run::Limits;

const TREE: &str = "/sys/fs/cgroup";
const FOLDER: &str = "auton8n";
const PERIOD: u64 = 100_000;
const CONTROLLERS: [&str; 3] = ["memory", "pids", "cpu"];
/// null, zero, full, random, urandom.
const DEVICES: [&str; 5] = ["c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm"];

/// Version 2 has one tree, version 1 one for each kind of limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    First,
    Second,
}

impl Version {
    /// What this machine has; `None` where there is nothing that could limit.
    pub fn find() -> Option<Self> {
        if Path::new(TREE).join("cgroup.controllers").exists() {
            return Some(Self::Second);
        }
        let all = CONTROLLERS
            .iter()
            .all(|name| Path::new(TREE).join(name).join("cgroup.procs").exists());
        all.then_some(Self::First)
    }

    /// Whether devices are limited too.
    pub fn limits_devices(self) -> bool {
        self == Self::First && Path::new(TREE).join("devices").join("devices.deny").exists()
    }

    /// The folders that hold our groups.
    fn folders(self) -> Vec<PathBuf> {
        match self {
            Self::Second => vec![Path::new(TREE).join(FOLDER)],
            Self::First => {
                let devices = self.limits_devices().then_some("devices");
                CONTROLLERS
                    .into_iter()
                    .chain(devices)
                    .map(|name| Path::new(TREE).join(name).join(FOLDER))
                    .collect()
            }
        }
    }
}

/// The groups of one box. Dropping it does not remove them: a process may still be in them.
#[derive(Clone, Debug)]
pub struct Groups {
    folders: Vec<PathBuf>,
    version: Version,
}

impl Groups {
    /// Makes the groups with their limits.
    pub fn make(version: Version, owner: &Owner, number: u64, limits: &Limits) -> Result<Self> {
        let name = name_of(owner, number);
        let groups = Self {
            folders: version.folders().iter().map(|folder| folder.join(&name)).collect(),
            version,
        };
        groups.fill(limits).map_err(|error| {
            groups.remove();
            Error::new(
                Code::SandboxUnavailable,
                "the kernel's control groups cannot be made; they need root",
            )
            .because(error)
        })?;
        Ok(groups)
    }

    fn fill(&self, limits: &Limits) -> io::Result<()> {
        let quota = ((limits.cpus * PERIOD as f64) as u64).max(1_000);
        if self.version == Version::Second {
            let all = "+memory +pids +cpu";
            fs::create_dir_all(Path::new(TREE).join(FOLDER))?;
            fs::write(Path::new(TREE).join("cgroup.subtree_control"), all)?;
            fs::write(Path::new(TREE).join(FOLDER).join("cgroup.subtree_control"), all)?;
        }
        for folder in &self.folders {
            fs::create_dir_all(folder)?;
            let set = |file: &str, value: &str| {
                fs::write(folder.join(file), value).map_err(|error| io::Error::other(format!("{file}: {error}")))
            };
            let memory = limits.memory.to_string();
            let tree = folder
                .strip_prefix(TREE)
                .ok()
                .and_then(|path| path.iter().next())
                .and_then(|name| name.to_str());
            match (self.version, tree) {
                (Version::Second, _) => {
                    set("memory.max", &memory)?;
                    set("memory.swap.max", "0")?;
                    set("pids.max", &limits.pids.to_string())?;
                    set("cpu.max", &format!("{quota} {PERIOD}"))?;
                }
                (Version::First, Some("memory")) => {
                    set("memory.limit_in_bytes", &memory)?;
                    set("memory.memsw.limit_in_bytes", &memory)?;
                }
                (Version::First, Some("pids")) => set("pids.max", &limits.pids.to_string())?,
                (Version::First, Some("cpu")) => {
                    set("cpu.cfs_period_us", &PERIOD.to_string())?;
                    set("cpu.cfs_quota_us", &quota.to_string())?;
                }
                (Version::First, _) => {
                    set("devices.deny", "a")?;
                    DEVICES.iter().try_for_each(|device| set("devices.allow", device))?;
                }
            }
        }
        Ok(())
    }

    /// The files through which a process joins.
    pub fn doors(&self) -> Vec<String> {
        self.folders
            .iter()
            .map(|folder| folder.join("cgroup.procs").display().to_string())
            .collect()
    }

    /// Where in the box the keeper reads the counters, and the folder that is shown there.
    pub fn views(&self) -> Vec<(String, PathBuf)> {
        match self.version {
            Version::Second => vec![(TREE.to_owned(), self.folders[0].clone())],
            Version::First => CONTROLLERS
                .iter()
                .zip(&self.folders)
                .map(|(name, folder)| (format!("{TREE}/{name}"), folder.clone()))
                .collect(),
        }
    }

    /// Kills what is in them and removes them. It waits for the kernel, at most two seconds.
    pub fn remove(&self) {
        for _ in 0..200 {
            let left = self
                .folders
                .iter()
                .filter(|folder| folder.exists() && !take_down(folder))
                .count();
            if left == 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Kills a group's processes and removes it; `false` where the kernel is not done with it yet.
fn take_down(folder: &Path) -> bool {
    for pid in fs::read_to_string(folder.join("cgroup.procs"))
        .unwrap_or_default()
        .lines()
    {
        if let Ok(pid) = pid.parse::<libc::pid_t>()
            && pid > 1
        {
            // SAFETY: numbers only; the kernel has just named it as a process of our own group.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
    }
    fs::remove_dir(folder).is_ok()
}

fn name_of(owner: &Owner, number: u64) -> String {
    let namespace: String = owner.namespace.chars().filter(char::is_ascii_digit).collect();
    format!("{}-{}-{namespace}-{number}", owner.pid, owner.started)
}

fn owner_of(name: &str, this: &Owner) -> Option<Owner> {
    let mut parts = name.split('-');
    let (pid, started) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    // Control groups do not outlive the kernel.
    Some(Owner {
        pid,
        started,
        boot: this.boot.clone(),
        namespace: format!("pid:[{}]", parts.next()?),
    })
}

/// Removes the groups of owners that are dead; tells how many.
pub fn sweep(version: Version) -> usize {
    let this = Owner::this();
    let mut swept = 0;
    for folder in version.folders() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let owner = entry.file_name().to_str().and_then(|name| owner_of(name, &this));
            if owner.is_some_and(|owner| owner.is_dead(&this, owner::start_of)) && entry.path().is_dir() {
                swept += usize::from(take_down(&entry.path()));
            }
        }
    }
    swept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_owner() {
        let this = Owner::this();
        assert_eq!(owner_of(&name_of(&this, 7), &this), Some(this.clone()));
        assert_eq!(owner_of("memory.stat", &this), None);
    }
}
