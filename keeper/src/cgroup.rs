//! The box's own counters and limits, as the kernel tells them. The job cannot forge them.

use std::fs::read_to_string;

/// Where the kernel tells what.
pub struct Cgroup {
    second: bool,
}

impl Cgroup {
    /// Version 2 has one tree, version 1 a tree for each resource.
    pub fn find() -> Self {
        Self {
            second: std::path::Path::new("/sys/fs/cgroup/cgroup.controllers").exists(),
        }
    }

    pub const fn version(&self) -> u8 {
        if self.second { 2 } else { 1 }
    }

    fn read(&self, first: &str, second: &str) -> Option<String> {
        let path = if self.second { second } else { first };
        read_to_string(format!("/sys/fs/cgroup/{path}"))
            .ok()
            .map(|text| text.trim().to_owned())
    }

    pub fn memory(&self) -> Option<String> {
        self.read("memory/memory.limit_in_bytes", "memory.max")
    }

    /// Memory and swap together in version 1, swap alone in version 2.
    pub fn swap(&self) -> Option<String> {
        self.read("memory/memory.memsw.limit_in_bytes", "memory.swap.max")
    }

    pub fn pids(&self) -> Option<String> {
        self.read("pids/pids.max", "pids.max")
    }

    /// `QUOTA PERIOD` in microseconds.
    pub fn cpu(&self) -> Option<String> {
        if self.second {
            return self.read("", "cpu.max");
        }
        let folder = ["cpu", "cpu,cpuacct", "cpuacct,cpu"]
            .into_iter()
            .find(|name| std::path::Path::new(&format!("/sys/fs/cgroup/{name}/cpu.cfs_quota_us")).exists())?;
        let quota = self.read(&format!("{folder}/cpu.cfs_quota_us"), "")?;
        let period = self.read(&format!("{folder}/cpu.cfs_period_us"), "")?;
        Some(format!("{quota} {period}"))
    }

    /// Processes that the kernel killed because memory ran out.
    pub fn oom_kills(&self) -> u64 {
        self.read("memory/memory.oom_control", "memory.events")
            .and_then(|text| {
                text.lines().find_map(|line| {
                    line.strip_prefix("oom_kill ")
                        .and_then(|count| count.trim().parse().ok())
                })
            })
            .unwrap_or(0)
    }

    /// Processes and threads that the kernel refused because there were too many.
    pub fn refused_forks(&self) -> u64 {
        self.read("pids/pids.events", "pids.events")
            .and_then(|text| text.strip_prefix("max ").and_then(|count| count.trim().parse().ok()))
            .unwrap_or(0)
    }

    /// The most processes and threads that the box has had at once; 0 where the kernel does not tell.
    pub fn peak_processes(&self) -> u64 {
        self.read("pids/pids.peak", "pids.peak")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    }

    /// The most memory the box has used so far, in bytes; 0 where the kernel does not tell.
    pub fn peak(&self) -> u64 {
        self.read("memory/memory.max_usage_in_bytes", "memory.peak")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    }
}
