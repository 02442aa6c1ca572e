//! The only room that knows SQL and Redis: jobs in an embedded database, in memory, or on a server.

mod asked;
mod claim;
mod data_directory;
mod dependencies;
mod job;
mod job_data;
mod job_store;
mod limits;
mod notice;
mod plain;
mod postgres;
mod redis;
mod released;
mod rules;
mod schedule;
mod server;
mod shared_state;
mod sqlite;

#[cfg(test)]
mod conformance;

/// A job as it is stored.
#[cfg(test)]
pub fn test_job(queue: &str, new: NewJob) -> Job {
    rules::begin(queue, new, 0)
}

/// Empty databases on real servers; each `None` where its server is not installed.
#[cfg(test)]
pub async fn test_databases() -> [Option<StoreUrl>; 2] {
    [
        postgres::test_server::database().await,
        redis::test_server::database().await,
    ]
}

use std::sync::Arc;

pub use self::redis::RedisStore;
pub use data_directory::{DataDirectory, Held};
pub use job::{
    Backoff, Job, JobFailure, JobOptions, JobStatus, NewJob, OnDuplicate, OnParentFailure, Priority, TraceContext,
};
pub use job_data::JobData;
pub use job_store::{
    Added, Claim, ClaimRequest, Claimed, Counts, Ending, Finish, Finished, JobFilter, JobStore, Lease, Notice, Parts,
    Promoted, ReadAhead, Report, Rescued, Retention,
};
pub use limits::{Limit, Limits, Rate, Room, Window};
pub use plain::{PlainAdded, PlainAdds, PlainCaller, PlainJobs};
pub use postgres::PostgresStore;
pub use schedule::{Missed, Schedule};
pub use shared_state::SharedState;
pub use sqlite::SqliteStore;

use crate::error::{Code, Error, Result};

/// The address of a server. It may hold a password, so it is never shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StoreUrl(String);

impl StoreUrl {
    /// The address itself, to connect with.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoreUrl(…)")
    }
}

/// What a `store` option names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// The embedded database of the data directory.
    Embedded,
    /// The embedded database of another directory or file.
    EmbeddedIn(String),
    /// Nothing is kept.
    Memory,
    /// A `PostgreSQL` server, shared with other processes and machines.
    Postgres(StoreUrl),
    /// A Redis server, likewise.
    Redis(StoreUrl),
}

impl StoreKind {
    /// Reads `sqlite`, `sqlite:PATH` or `memory`; a URL's credentials are never shown.
    pub fn parse(text: &str) -> Result<Self> {
        let scheme = text.split(':').next().unwrap_or(text);
        match (scheme, text.split_once(':')) {
            ("sqlite", None) => Ok(Self::Embedded),
            ("memory", _) => Ok(Self::Memory),
            ("sqlite", Some((_, path))) if !path.trim_start_matches('/').is_empty() => {
                Ok(Self::EmbeddedIn(path.strip_prefix("//").unwrap_or(path).to_owned()))
            }
            ("postgres" | "postgresql", Some((_, rest))) if rest.starts_with("//") => {
                Ok(Self::Postgres(StoreUrl(text.to_owned())))
            }
            ("redis" | "rediss", Some((_, rest))) if rest.starts_with("//") => {
                Ok(Self::Redis(StoreUrl(text.to_owned())))
            }
            _ => Err(Error::new(
                Code::OptionInvalid,
                "`store` must be `sqlite`, `sqlite:PATH`, `memory`, `postgres://…` or `redis://…`",
            )),
        }
    }
}

/// A store that can be shared.
pub type SharedStore = Arc<dyn JobStore>;

/// Opens the store on a server, whose kind its address says.
pub async fn open_server(url: &StoreUrl) -> Result<SharedStore> {
    Ok(if url.reveal().starts_with("redis") {
        Arc::new(RedisStore::open(url).await?)
    } else {
        Arc::new(PostgresStore::open(url).await?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_option_never_shows_credentials() {
        let password = ["hunt", "er2"].concat();
        for scheme in ["postgres", "postgresql", "redis", "rediss", "mysql"] {
            let shown = match StoreKind::parse(&format!("{scheme}://me:{password}@host/db")) {
                Ok(kind) => format!("{kind:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(!shown.contains(&password), "{shown}");
        }
    }

    #[test]
    fn store_options_are_read() {
        assert_eq!(StoreKind::parse("sqlite").unwrap(), StoreKind::Embedded);
        assert_eq!(
            StoreKind::parse("sqlite:data").unwrap(),
            StoreKind::EmbeddedIn("data".into())
        );
        assert_eq!(
            StoreKind::parse("sqlite:///d").unwrap(),
            StoreKind::EmbeddedIn("/d".into())
        );
        assert_eq!(StoreKind::parse("memory").unwrap(), StoreKind::Memory);
        assert!(matches!(StoreKind::parse("rediss://x"), Ok(StoreKind::Redis(_))));
        assert_eq!(StoreKind::parse("sqlite:").unwrap_err().code(), Code::OptionInvalid);
        assert_eq!(StoreKind::parse("").unwrap_err().code(), Code::OptionInvalid);
    }
}
