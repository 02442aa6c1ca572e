//! Keeps the connections: hears on one of its own what other processes did, keeps the server's
//! time, and finds out when the server is away and when it is back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use redis::Value;
use redis::aio::{PubSub, PubSubSink, PubSubStream};
use tokio::sync::broadcast;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::PREFIX;
use super::address::CONNECT;
use super::failure::{coded, unavailable};
use super::links::{Links, Unused};
use super::old_layout::lay_out_anew;
use super::rows::{number, text};
use super::server_check::Info;
use crate::error::{Code, Error, Result};
use crate::store::job_store::Notice;
use crate::store::server::{Sent, ServerClock};

/// Between two looks at the server's clock, which also show whether it answers.
const LOOK: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(200);
/// How keys are laid out. A store that a newer version changed is left alone.
const FORMAT: u32 = 2;

/// Where notices are heard.
type Heard = (PubSubSink, PubSubStream);

/// Makes connections, one after the other.
pub struct Keeper {
    pub links: Arc<Links>,
    pub clock: Arc<ServerClock>,
    pub heard: broadcast::Sender<Notice>,
    /// Notices of this store are not passed on.
    pub own: String,
    pub stop: CancellationToken,
}

impl Keeper {
    /// Connects, looks whether the server may be used, and puts the connection to use.
    pub async fn connect(&self) -> Result<Heard> {
        let mut unused = self.links.connect().await?;
        let warning = check(&mut unused).await?;
        let asked = Instant::now();
        self.set_clock(&unused.send(&redis::cmd("TIME")).await?, asked);
        let listen = async {
            let stream = self.links.address.connect().await?;
            let mut heard = PubSub::new(&self.links.address.login, stream)
                .await
                .map_err(|error| coded(&error))?;
            heard
                .subscribe(channel(&self.links))
                .await
                .map_err(|error| coded(&error))?;
            Ok::<_, Error>(heard.split())
        };
        let heard = timeout(CONNECT, listen)
            .await
            .map_err(|_| unavailable("the server does not answer"))??;
        if let Some(warning) = warning.as_deref() {
            tracing::warn!("{warning}");
        }
        self.links.set(&unused, warning);
        Ok(heard)
    }

    fn set_clock(&self, time: &Value, asked: Instant) {
        if let Value::Array(parts) = time
            && let [seconds, micros] = &parts[..]
            && let (Some(seconds), Some(micros)) = (number::<i64>(seconds), number::<i64>(micros))
        {
            self.clock.set(seconds * 1_000 + micros / 1_000, asked);
        }
    }

    /// Hears until it is stopped; connects again whenever the connection ends.
    pub async fn run(self, heard: Heard) {
        let stop = self.stop.clone();
        stop.run_until_cancelled(self.hear_for_ever(heard)).await;
    }

    async fn hear_for_ever(self, mut heard: Heard) {
        loop {
            self.hear(&mut heard).await;
            self.links.drop_link("the connection was lost");
            heard = loop {
                match self.connect().await {
                    Ok(heard) => break heard,
                    Err(error) => self.links.found(&error),
                }
                tokio::time::sleep(AGAIN).await;
            };
            // Nobody listens where there is no hub.
            let _ = self.heard.send(Notice::Back);
        }
    }

    /// Until a connection ends or does not answer.
    async fn hear(&self, (sink, stream): &mut Heard) {
        let mut look = tokio::time::interval(LOOK);
        look.reset();
        loop {
            tokio::select! {
                message = stream.next() => match message {
                    Some(message) => self.pass(message.get_payload_bytes()),
                    None => return,
                },
                () = self.links.broken.notified() => return,
                _ = look.tick() => match timeout(ANSWER, self.look(sink)).await {
                    Ok(Ok(())) => {}
                    _ => return,
                },
            }
        }
    }

    async fn look(&self, sink: &mut PubSubSink) -> Result<()> {
        let asked = Instant::now();
        let time = self.links.send(&redis::cmd("TIME"), None, false).await?;
        self.set_clock(&time, asked);
        sink.ping::<Value>().await.map(drop).map_err(|error| coded(&error))
    }

    fn pass(&self, payload: &[u8]) {
        // Another version may say what this one does not know.
        if let Ok(sent) = serde_json::from_slice::<Sent>(payload)
            && sent.from != self.own
        {
            let _ = self.heard.send(sent.notice);
        }
    }
}

/// Publishes notices.
pub async fn notify(links: Arc<Links>, payloads: Vec<String>) -> Result<()> {
    for payload in payloads {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(channel(&links)).arg(payload);
        links.send(&publish, None, true).await?;
    }
    Ok(())
}

/// Channels belong to all databases of a server, queues to one.
fn channel(links: &Links) -> String {
    format!("{PREFIX}:notices:{}", links.address.login.db())
}

/// Refuses a server or a store that does not fit; answers what its administrator should know.
async fn check(unused: &mut Unused) -> Result<Option<String>> {
    let answer = unused.send(&redis::cmd("INFO")).await?;
    let info = Info::read(text(&answer).unwrap_or_default());
    info.check()?;
    if info.is_loading() {
        return Err(unavailable("it is still reading its data"));
    }
    let key = format!("{PREFIX}:format");
    unused.send(redis::cmd("SETNX").arg(&key).arg(FORMAT)).await?;
    let format = number::<u32>(&unused.send(redis::cmd("GET").arg(&key)).await?).unwrap_or(u32::MAX);
    if format > FORMAT {
        return Err(Error::new(
            Code::StoreNewer,
            format!("the job store has format {format}, this version knows {FORMAT}; update @elizaos/plugin-auton8n"),
        ));
    }
    if format < FORMAT {
        lay_out_anew(unused).await?;
        unused.send(redis::cmd("SET").arg(&key).arg(FORMAT)).await?;
    }
    Ok(info.warning())
}
