//! Who owns a box, so that a later start can sweep what a dead owner left behind.

use std::fs;

/// A process, named so that no later one can be mistaken for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub pid: u32,
    /// When it started, in the kernel's ticks; 0 where the system does not tell.
    pub started: u64,
    /// The kernel's boot.
    pub boot: String,
    /// The process namespace: a pid of another one says nothing here.
    pub namespace: String,
}

impl Owner {
    /// This process.
    pub fn this() -> Self {
        let pid = std::process::id();
        Self {
            pid,
            started: start_of(pid).unwrap_or(0),
            boot: fs::read_to_string("/proc/sys/kernel/random/boot_id")
                .unwrap_or_default()
                .trim()
                .to_owned(),
            namespace: fs::read_link("/proc/self/ns/pid")
                .map(|link| link.display().to_string())
                .unwrap_or_default(),
        }
    }

    /// As a label.
    pub fn label(&self) -> String {
        format!("{} {} {} {}", self.pid, self.started, self.boot, self.namespace)
    }

    /// Reads a label.
    pub fn parse(label: &str) -> Option<Self> {
        let mut parts = label.splitn(4, ' ');
        Some(Self {
            pid: parts.next()?.parse().ok()?,
            started: parts.next()?.parse().ok()?,
            boot: parts.next()?.to_owned(),
            namespace: parts.next()?.to_owned(),
        })
    }

    /// Whether it is certain that the owner is dead. Of another process namespace nothing is certain.
    pub fn is_dead(&self, this: &Self, start_of: impl Fn(u32) -> Option<u64>) -> bool {
        if self.boot != this.boot {
            // A box of this machine cannot outlive its kernel; another machine's boot is not ours.
            return false;
        }
        if self.namespace != this.namespace || self.started == 0 {
            return false;
        }
        start_of(self.pid) != Some(self.started)
    }
}

/// When a process started, in ticks since boot; `None` where there is none of that number.
pub fn start_of(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold spaces and brackets, so count from the last bracket.
    let rest = &stat[stat.rfind(')')? + 1..];
    let mut fields = rest.split_whitespace();
    if fields.next() == Some("Z") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_read_as_it_was_written() {
        let this = Owner::this();
        assert!(this.started > 0 && !this.boot.is_empty());
        assert_eq!(Owner::parse(&this.label()), Some(this));
        assert_eq!(Owner::parse("x y"), None);
    }

    #[test]
    fn only_a_certain_death_counts() {
        let this = Owner::this();
        assert!(!this.is_dead(&this, start_of));
        let other = |change: fn(&mut Owner)| {
            let mut owner = this.clone();
            change(&mut owner);
            owner
        };
        assert!(other(|owner| owner.started += 1).is_dead(&this, start_of));
        assert!(this.is_dead(&this, |_| None));
        assert!(!other(|owner| owner.namespace = "pid:[1]".to_owned()).is_dead(&this, |_| None));
        assert!(!other(|owner| owner.boot = "x".to_owned()).is_dead(&this, |_| None));
    }
}
