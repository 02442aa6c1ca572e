//! The one connection that commands of all callers share, while there is one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, RedisError, Script, Value};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::address::{Address, CONNECT};
use super::failure::{coded, is_connection, is_unknown_script, unavailable};
use crate::error::{Code, Error, Result};
use crate::store::rules::closed;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);
/// How long a call waits for a connection that is being made.
const WAIT: Duration = Duration::from_secs(1);

/// A connection that works, as far as is known.
#[derive(Clone)]
struct Link {
    connection: MultiplexedConnection,
    number: u64,
    driver: AbortHandle,
}

/// The way to the server. The keeper makes connections; calls use them.
pub struct Links {
    pub address: Address,
    /// A call or the connection itself found that it does not work.
    pub broken: Notify,
    link: watch::Sender<Option<Link>>,
    made: AtomicU64,
    problem: Mutex<Option<String>>,
    warning: Mutex<Option<String>>,
    closed: AtomicBool,
}

impl Links {
    /// Nothing is connected yet.
    pub fn new(address: Address) -> Arc<Self> {
        Arc::new(Self {
            address,
            broken: Notify::new(),
            link: watch::Sender::new(None),
            made: AtomicU64::new(0),
            problem: Mutex::new(None),
            warning: Mutex::new(None),
            closed: AtomicBool::new(false),
        })
    }

    /// Connects for commands; `set` puts it to use.
    pub async fn connect(self: &Arc<Self>) -> Result<Unused> {
        let stream = self.address.connect().await?;
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(ANSWER));
        let login = MultiplexedConnection::new_with_config(&self.address.login, stream, config);
        let (connection, driver) = match timeout(CONNECT, login).await {
            Ok(made) => made.map_err(|error| coded(&error))?,
            Err(_) => return Err(unavailable("the server does not answer")),
        };
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let links = Arc::downgrade(self);
        // It ends with the connection, or is aborted when another one takes its place.
        let driver = tokio::spawn(async move {
            driver.await;
            if let Some(links) = links.upgrade() {
                links.lost(number, "the connection was lost");
            }
        });
        Ok(Unused(Link {
            connection,
            number,
            driver: driver.abort_handle(),
        }))
    }

    /// Calls use this connection from now on.
    pub fn set(&self, unused: &Unused, warning: Option<String>) {
        *self.warning.lock() = warning;
        *self.problem.lock() = None;
        self.link.send_replace(Some(unused.0.clone()));
    }

    /// The present connection is of no use any more. Calls that run on it end.
    pub fn drop_link(&self, why: &str) {
        *self.problem.lock() = Some(why.to_owned());
        if let Some(link) = self.link.send_replace(None) {
            link.driver.abort();
        }
    }

    fn lost(&self, number: u64, why: &str) {
        let mut is_present = false;
        self.link.send_if_modified(|link| {
            is_present = link.as_ref().is_some_and(|link| link.number == number);
            if is_present && let Some(link) = link.take() {
                link.driver.abort();
            }
            is_present
        });
        if is_present {
            *self.problem.lock() = Some(why.to_owned());
            self.broken.notify_one();
        }
    }

    async fn link(&self) -> Result<Link> {
        if self.is_closed() {
            return Err(closed());
        }
        if let Some(link) = &*self.link.borrow() {
            return Ok(link.clone());
        }
        let mut links = self.link.subscribe();
        if let Ok(Ok(link)) = timeout(WAIT, links.wait_for(Option::is_some)).await
            && let Some(link) = &*link
        {
            return Ok(link.clone());
        }
        Err(self.problem().unwrap_or_else(|| unavailable("not connected")))
    }

    /// Sends a command. `repeatable`: it does no harm twice, so it is repeated once where the
    /// connection broke. `script`: what it calls.
    pub async fn send(&self, command: &Cmd, script: Option<&Script>, repeatable: bool) -> Result<Value> {
        let mut repeated = !repeatable;
        loop {
            let mut link = self.link().await?;
            match answer(&mut link.connection, command, script).await {
                Ok(value) => return Ok(value),
                Err(error) if is_connection(&error) => {
                    self.lost(link.number, &error.to_string());
                    if repeated {
                        return Err(unavailable(&error.to_string()));
                    }
                    repeated = true;
                }
                Err(error) => return Err(coded(&error)),
            }
        }
    }

    /// Why the server cannot be used at present.
    pub fn problem(&self) -> Option<Error> {
        self.problem.lock().as_deref().map(unavailable)
    }

    /// What is told once more of a server that is used.
    pub fn found(&self, problem: &Error) {
        let why = match (problem.code(), std::error::Error::source(problem)) {
            (Code::StoreUnavailable, Some(cause)) => cause.to_string(),
            _ => problem.message().to_owned(),
        };
        *self.problem.lock() = Some(why);
    }

    /// What its administrator should know.
    pub fn warning(&self) -> Option<String> {
        self.warning.lock().clone()
    }

    /// Closed already?
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Closes the connection.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.drop_link("closed");
    }
}

/// A connection that calls do not use yet.
pub struct Unused(Link);

impl Unused {
    /// Sends a command on it.
    pub async fn send(&mut self, command: &Cmd) -> Result<Value> {
        let sent = answer(&mut self.0.connection, command, None).await;
        sent.map_err(|error| coded(&error))
    }

    /// Calls a script on it.
    pub async fn call(&mut self, call: &Cmd, script: &Script) -> Result<Value> {
        let sent = answer(&mut self.0.connection, call, Some(script)).await;
        sent.map_err(|error| coded(&error))
    }
}

async fn answer(
    connection: &mut MultiplexedConnection,
    command: &Cmd,
    script: Option<&Script>,
) -> std::result::Result<Value, RedisError> {
    let answer = connection
        .send_packed_command(command)
        .await
        .and_then(Value::extract_error);
    match (answer, script) {
        (Err(error), Some(script)) if is_unknown_script(&error) => {
            script.load_async(connection).await?;
            connection
                .send_packed_command(command)
                .await
                .and_then(Value::extract_error)
        }
        (answer, _) => answer,
    }
}
