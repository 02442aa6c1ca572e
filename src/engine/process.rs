//! What the process uses, by the names that all Prometheus clients share.

use crate::metrics::Exposition;

/// Writes what the system tells; nothing where it tells nothing.
#[cfg(target_os = "linux")]
pub fn write(out: &mut Exposition) {
    let Some(usage) = Usage::read() else { return };
    out.counter("process_cpu_seconds", "Processor time of the process.");
    out.count::<&str>("process_cpu_seconds", &[], &[], usage.cpu_seconds);
    for (name, help, value) in [
        (
            "process_resident_memory_bytes",
            "Memory of the process that is in use.",
            usage.resident_bytes,
        ),
        (
            "process_virtual_memory_bytes",
            "Address space of the process.",
            usage.virtual_bytes,
        ),
        (
            "process_start_time_seconds",
            "When the process began, in seconds since 1970.",
            usage.started_at,
        ),
        (
            "process_open_fds",
            "Files, sockets and pipes that are open.",
            usage.open_files,
        ),
        ("process_threads", "Threads of the process.", usage.threads),
    ] {
        out.gauge(name, help);
        out.value::<&str>(name, &[], &[], value);
    }
}

/// Nothing is read on other systems.
#[cfg(not(target_os = "linux"))]
pub fn write(_out: &mut Exposition) {}

#[cfg(target_os = "linux")]
struct Usage {
    cpu_seconds: f64,
    resident_bytes: f64,
    virtual_bytes: f64,
    started_at: f64,
    open_files: f64,
    threads: f64,
}

#[cfg(target_os = "linux")]
impl Usage {
    fn read() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // The name in brackets may hold anything, brackets and spaces too.
        let fields: Vec<f64> = stat
            .rsplit_once(") ")?
            .1
            .split(' ')
            .map(|field| field.trim().parse().unwrap_or(0.0))
            .collect();
        let boot = std::fs::read_to_string("/proc/stat").ok()?;
        let boot: f64 = boot
            .lines()
            .find_map(|line| line.strip_prefix("btime "))?
            .trim()
            .parse()
            .ok()?;
        let ticks = system_number(libc::_SC_CLK_TCK)?;
        // Numbered from the state, which is the third field of the manual page.
        let field = |number: usize| fields.get(number - 3).copied();
        Some(Self {
            cpu_seconds: (field(14)? + field(15)?) / ticks,
            threads: field(20)?,
            started_at: boot + field(22)? / ticks,
            virtual_bytes: field(23)?,
            resident_bytes: field(24)? * system_number(libc::_SC_PAGESIZE)?,
            open_files: std::fs::read_dir("/proc/self/fd").ok()?.count() as f64,
        })
    }
}

#[cfg(target_os = "linux")]
fn system_number(name: libc::c_int) -> Option<f64> {
    // SAFETY: it takes a number and touches no memory of ours.
    let value = unsafe { libc::sysconf(name) };
    (value > 0).then_some(value as f64)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_measured() {
        let usage = Usage::read().unwrap();
        assert!(
            usage.resident_bytes > 1e6 && usage.resident_bytes < 1e11,
            "{}",
            usage.resident_bytes
        );
        assert!(usage.open_files >= 3.0 && usage.threads >= 1.0 && usage.virtual_bytes > usage.resident_bytes);
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs_f64();
        assert!((now - usage.started_at).abs() < 86_400.0, "{}", usage.started_at);
    }
}
