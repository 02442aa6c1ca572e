//! The connections: two pools, of which one waits for the disk at each commit and one does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, Timeouts};
use parking_lot::Mutex;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, Error as PostgresError, NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::{coded, is_connection, is_rolled_back, unavailable};
use crate::error::{Code, Error, Result};
use crate::store::StoreUrl;
use crate::store::server::trusted;

/// How long a connection may take, and how long an answer.
pub const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(30);
const POOL: usize = 4;
const ROLLED_BACK: usize = 8;

/// A value of a statement.
pub type Value<'a> = &'a (dyn ToSql + Sync);

/// What a statement asks of its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// On the server's disk before it is answered.
    Synced,
    /// On the disk a moment later: a crash of the server may undo it, a crash of this process not.
    Lazy,
}

/// The way to the server.
pub struct Connections {
    pub config: Config,
    pub tls: Option<MakeRustlsConnect>,
    synced: Pool,
    lazy: Pool,
    problem: Mutex<Option<String>>,
    closed: AtomicBool,
}

impl Connections {
    /// Reads the address. Nothing is connected yet.
    pub fn new(url: &StoreUrl) -> Result<Arc<Self>> {
        let invalid = || {
            // The parser's own words may repeat a part of the address.
            Error::new(
                Code::OptionInvalid,
                "`store` is not an address of PostgreSQL; write postgres://user:password@host:port/database",
            )
        };
        let mut config: Config = url.reveal().parse().map_err(|_| invalid())?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(invalid());
        }
        config
            .connect_timeout(CONNECT)
            .application_name("auton8n")
            .keepalives_idle(Duration::from_secs(10));
        config.tcp_user_timeout(Duration::from_secs(15));
        let tls = tls(&mut config)?;
        Ok(Arc::new(Self {
            synced: pool(&config, tls.as_ref(), Commit::Synced)?,
            lazy: pool(&config, tls.as_ref(), Commit::Lazy)?,
            config,
            tls,
            problem: Mutex::new(None),
            closed: AtomicBool::new(false),
        }))
    }

    /// A connection, for what is more than one statement.
    pub async fn connection(&self, commit: Commit) -> Result<Object> {
        if self.closed.load(Ordering::Acquire) {
            return Err(crate::store::rules::closed());
        }
        let pool = match commit {
            Commit::Synced => &self.synced,
            Commit::Lazy => &self.lazy,
        };
        pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => self.noted(&error),
            PoolError::Closed => crate::store::rules::closed(),
            other => {
                let error = unavailable(&other.to_string());
                *self.problem.lock() = Some(other.to_string());
                error
            }
        })
    }

    /// Runs one statement. `repeatable`: it does no harm twice, so it is repeated once where the
    /// connection was found broken.
    pub async fn query(
        &self,
        commit: Commit,
        repeatable: bool,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>> {
        let (mut broken, mut rolled_back) = (0, 0);
        loop {
            let connection = self.connection(commit).await?;
            let answer = tokio::time::timeout(ANSWER, async {
                let statement = connection.prepare_cached(sql).await.map_err(|error| (false, error))?;
                connection
                    .query(&statement, values)
                    .await
                    .map_err(|error| (true, error))
            });
            match answer.await {
                Ok(Ok(rows)) => {
                    self.problem.lock().take();
                    return Ok(rows);
                }
                Ok(Err((_, error))) if is_rolled_back(&error) && rolled_back < ROLLED_BACK => rolled_back += 1,
                Ok(Err((sent, error))) if is_connection(&error) && broken < 1 && (repeatable || !sent) => {
                    // One that broke while it lay in the pool says nothing about the server now.
                    broken += 1;
                    drop(Object::take(connection));
                }
                Ok(Err((_, error))) => return Err(self.noted(&error)),
                Err(_) => {
                    drop(Object::take(connection));
                    let why = format!("no answer within {} s", ANSWER.as_secs());
                    *self.problem.lock() = Some(why.clone());
                    return Err(unavailable(&why));
                }
            }
        }
    }

    fn noted(&self, error: &PostgresError) -> Error {
        let coded = coded(error);
        if coded.code() == Code::StoreUnavailable {
            let why = std::error::Error::source(&coded).map_or_else(|| coded.to_string(), ToString::to_string);
            self.found(Some(why));
        }
        coded
    }

    /// The server cannot be reached, or can again.
    pub fn found(&self, problem: Option<String>) {
        *self.problem.lock() = problem;
    }

    /// Why the server cannot be reached at present.
    pub fn problem(&self) -> Option<Error> {
        self.problem.lock().as_deref().map(unavailable)
    }

    /// Closed already?
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Closes all connections; what runs on them ends first.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.synced.close();
        self.lazy.close();
    }
}

/// Whether and how the way is encrypted: `sslmode=require` demands a certificate that this system
/// trusts, `prefer` (the default) does so where the host is another machine.
fn tls(config: &mut Config) -> Result<Option<MakeRustlsConnect>> {
    let local = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    });
    match config.get_ssl_mode() {
        SslMode::Disable => return Ok(None),
        SslMode::Prefer if local => {
            config.ssl_mode(SslMode::Disable);
            return Ok(None);
        }
        _ => {}
    }
    Ok(Some(MakeRustlsConnect::new(trusted()?)))
}

fn pool(config: &Config, tls: Option<&MakeRustlsConnect>, commit: Commit) -> Result<Pool> {
    let mut config = config.clone();
    let level = if commit == Commit::Synced { "on" } else { "off" };
    let given = config.get_options().unwrap_or_default().to_owned();
    config.options(format!("{given} -c synchronous_commit={level}"));
    let recycle = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let manager = match tls {
        Some(tls) => Manager::from_config(config, tls.clone(), recycle),
        None => Manager::from_config(config, NoTls, recycle),
    };
    let timeouts = Timeouts {
        wait: Some(ANSWER),
        create: Some(CONNECT),
        recycle: Some(CONNECT),
    };
    Pool::builder(manager)
        .max_size(POOL)
        .timeouts(timeouts)
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| Error::new(Code::Internal, "no connection pool could be made").because(error.to_string()))
}
