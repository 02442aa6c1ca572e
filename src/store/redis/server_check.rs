//! Whether a server may be used, which is looked at whenever it is connected to.

use std::collections::HashMap;

use crate::error::{Code, Error, Result};

const OLDEST: u32 = 6;

/// What `INFO` says.
pub struct Info<'a>(HashMap<&'a str, &'a str>);

impl<'a> Info<'a> {
    /// Reads it.
    pub fn read(text: &'a str) -> Self {
        Self(text.lines().filter_map(|line| line.split_once(':')).collect())
    }

    fn get(&self, field: &str) -> &'a str {
        self.0.get(field).copied().unwrap_or_default()
    }

    /// Refuses what would lose jobs.
    pub fn check(&self) -> Result<()> {
        let version = self.get("redis_version");
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        if major.is_none_or(|major| major < OLDEST) {
            return refused(format!(
                "the job store needs Redis {OLDEST} or newer; this server is {version}"
            ));
        }
        if self.get("redis_mode") == "cluster" || self.get("cluster_enabled") == "1" {
            return refused(
                "a Redis Cluster cannot hold the job store; use a single server (with replicas if you like)",
            );
        }
        if self.get("redis_mode") == "sentinel" {
            return refused("this is a Redis Sentinel, which holds no data; `store` must name the server itself");
        }
        if self.get("role") == "slave" {
            return refused("this Redis server is a replica, which cannot be written to; `store` must name its master");
        }
        let policy = self.get("maxmemory_policy");
        if !policy.is_empty() && policy != "noeviction" {
            return refused(format!(
                "the Redis server is set to drop keys when its memory is full (maxmemory-policy {policy}), which would \
                 lose jobs; set `maxmemory-policy noeviction`"
            ));
        }
        Ok(())
    }

    /// Whether the server still reads its data.
    pub fn is_loading(&self) -> bool {
        self.get("loading") == "1"
    }

    /// What a crash of the server would cost, if it is everything since its last snapshot.
    pub fn warning(&self) -> Option<String> {
        (self.get("aof_enabled") == "0").then(|| {
            "the Redis server keeps no append-only file (appendonly no), so acknowledged jobs are lost when it dies; \
             set `appendonly yes`, and `appendfsync always` where no job may be lost"
                .to_owned()
        })
    }
}

fn refused(message: impl Into<String>) -> Result<()> {
    Err(Error::new(Code::StoreUnsupported, message.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "redis_version:6.2.1\r\nredis_mode:standalone\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n";

    #[test]
    fn servers_that_would_lose_jobs_are_refused() {
        assert!(Info::read(GOOD).check().is_ok());
        for (good, bad, told) in [
            ("6.2.1", "5.0.14", "Redis 6 or newer"),
            ("standalone", "cluster", "Cluster"),
            ("standalone", "sentinel", "Sentinel"),
            ("master", "slave", "replica"),
            ("noeviction", "allkeys-lru", "allkeys-lru"),
            ("noeviction", "volatile-ttl", "volatile-ttl"),
        ] {
            let error = Info::read(&GOOD.replace(good, bad)).check().unwrap_err();
            assert_eq!(error.code(), Code::StoreUnsupported);
            assert!(error.to_string().contains(told), "{error}");
        }
        assert!(Info::read("").check().is_err(), "what is no Redis");
    }

    #[test]
    fn a_server_that_forgets_is_told() {
        assert!(Info::read("aof_enabled:0").warning().is_some());
        assert!(Info::read("aof_enabled:1").warning().is_none());
    }
}
