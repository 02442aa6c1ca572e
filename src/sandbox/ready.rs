//! What binds in a box, as its keeper read it back from the kernel.

use std::collections::BTreeMap;

use super::run::Limits;

/// What the keeper told when the box was ready.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ready(BTreeMap<String, String>);

/// The limits whose absence a user may allow, by the names of `allowReduced`.
pub const REDUCIBLE: [&str; 3] = ["memory", "pids", "cpus"];

impl Ready {
    /// Reads lines of `name=value`.
    pub fn parse(text: &str) -> Self {
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        Self(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name).parse().ok()
    }

    /// What does not hold, each as the limit's name and what the kernel says of it.
    pub fn missing(&self, limits: &Limits) -> Vec<(&'static str, String)> {
        let mut missing = Vec::new();
        let mut expect = |name: &'static str, holds: bool, what: String| {
            if !holds {
                missing.push((name, what));
            }
        };
        let memory = self.number("memory");
        expect(
            "memory",
            memory.is_some_and(|bytes| bytes <= limits.memory) && self.swap_is_shut(memory.unwrap_or_default()),
            format!(
                "the kernel allows memory {:?} and swap {:?}",
                self.get("memory"),
                self.get("swap")
            ),
        );
        let pids = self.number("pids");
        expect(
            "pids",
            pids.is_some_and(|count| count <= u64::from(limits.pids)),
            format!("the kernel allows {:?} processes", self.get("pids")),
        );
        expect(
            "cpus",
            self.cpus().is_some_and(|cpus| cpus <= limits.cpus + 0.01),
            format!("the kernel says {:?}", self.get("cpu")),
        );
        for (name, size, most) in [("work", "work", limits.work), ("tmpfs", "tmp", limits.tmpfs)] {
            let bytes = self.number(size);
            expect(
                name,
                bytes.is_some_and(|bytes| bytes <= most),
                format!("it has {:?} bytes", self.get(size)),
            );
        }
        expect(
            "root",
            self.get("root") == "read-only",
            "the root folder can be written".to_owned(),
        );
        expect(
            "network",
            self.get("interfaces") == "lo",
            format!("there are interfaces {:?}", self.get("interfaces")),
        );
        expect(
            "user",
            self.get("Uid") == "65534 65534 65534 65534",
            format!("the job would be {:?}", self.get("Uid")),
        );
        for name in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            let none = !self.get(name).is_empty() && self.get(name).bytes().all(|digit| digit == b'0');
            expect("capabilities", none, format!("{name} is {:?}", self.get(name)));
        }
        expect(
            "no-new-privileges",
            self.get("NoNewPrivs") == "1",
            "it is not set".to_owned(),
        );
        expect(
            "files",
            self.number("nofile").is_some_and(|count| count <= 1024) && self.number("core") == Some(0),
            format!(
                "a program may open {:?} and dump {:?}",
                self.get("nofile"),
                self.get("core")
            ),
        );
        expect(
            "cgroup namespace",
            self.get("cgroupns") == "own",
            "the box sees its place among the groups of the machine".to_owned(),
        );
        expect(
            "seccomp",
            self.get("Seccomp") == "2",
            format!("its mode is {:?}", self.get("Seccomp")),
        );
        missing
    }

    /// Version 1 limits memory and swap together, version 2 swap alone. A kernel without swap
    /// accounting cannot tell: then memory binds only where there is no swap, which is not assumed.
    fn swap_is_shut(&self, memory: u64) -> bool {
        match self.get("cgroup") {
            "2" => self.number("swap") == Some(0),
            _ => self.number("swap").is_some_and(|both| both <= memory),
        }
    }

    fn cpus(&self) -> Option<f64> {
        let (quota, period) = self.get("cpu").split_once(' ')?;
        let quota: f64 = quota.parse().ok().filter(|quota| *quota > 0.0)?;
        Some(quota / period.parse::<f64>().ok().filter(|period| *period > 0.0)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "cgroup=1\nmemory=536870912\nswap=536870912\npids=100\ncpu=100000 100000\nroot=read-only\n\
        work=134217728\ntmp=67108864\ninterfaces=lo\nUid=65534 65534 65534 65534\nCapInh=0\nCapPrm=0000\nCapEff=0\n\
        CapAmb=0\nNoNewPrivs=1\nSeccomp=2\nnofile=1024\ncore=0\ncgroupns=own\n";

    fn names(text: &str) -> Vec<&'static str> {
        Ready::parse(text)
            .missing(&Limits::default())
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn a_box_where_all_binds_misses_nothing() {
        assert!(names(GOOD).is_empty());
        let second = GOOD.replace("cgroup=1", "cgroup=2").replace("swap=536870912", "swap=0");
        assert!(names(&second).is_empty());
    }

    #[test]
    fn each_limit_that_does_not_bind_is_named() {
        for (good, bad, name) in [
            ("memory=536870912", "memory=9223372036854771712", "memory"),
            ("swap=536870912", "swap=1073741824", "memory"),
            ("swap=536870912", "swap=", "memory"),
            ("pids=100", "pids=max", "pids"),
            ("cpu=100000 100000", "cpu=-1 100000", "cpus"),
            ("cpu=100000 100000", "cpu=max 100000", "cpus"),
            ("work=134217728", "work=25000000000", "work"),
            ("root=read-only", "root=writable", "root"),
            ("interfaces=lo", "interfaces=lo,eth0", "network"),
            ("Uid=65534 65534 65534 65534", "Uid=0 0 0 0", "user"),
            ("CapPrm=0000", "CapPrm=00e0", "capabilities"),
            ("NoNewPrivs=1", "NoNewPrivs=0", "no-new-privileges"),
            ("Seccomp=2", "Seccomp=0", "seccomp"),
            ("nofile=1024", "nofile=1048576", "files"),
            ("core=0", "core=18446744073709551615", "files"),
            ("cgroupns=own", "cgroupns=shared", "cgroup namespace"),
        ] {
            assert_eq!(names(&GOOD.replace(good, bad)), vec![name], "{bad}");
        }
        assert!(names("").len() > 10);
    }
}
