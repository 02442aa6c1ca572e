//! A connection of its own that hears what other processes did, keeps the server's time, and finds
//! out when the server is away and when it is back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tokio::sync::{broadcast, mpsc};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Socket};
use tokio_util::sync::CancellationToken;

use super::connections::{CONNECT, Connections};
use super::failure::{coded, unavailable};
use super::sql;
use crate::error::Result;
use crate::store::job_store::Notice;
use crate::store::server::{Sent, ServerClock};

/// Between two looks at the server's clock, which also show whether it answers.
const LOOK: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(250);

/// What arrives, as text. It ends with the connection.
type Payloads = mpsc::UnboundedReceiver<String>;

/// Hears notices and passes them on.
pub struct Listener {
    pub connections: Arc<Connections>,
    pub clock: Arc<ServerClock>,
    pub heard: broadcast::Sender<Notice>,
    /// Notices of this store are not passed on.
    pub own: String,
    pub stop: CancellationToken,
}

impl Listener {
    /// Connects, listens and sets the clock.
    pub async fn connect(&self) -> Result<(Client, Payloads)> {
        let Connections { config, tls, .. } = &*self.connections;
        let (client, payloads) = match tls {
            Some(tls) => connect(config, tls.clone()).await?,
            None => connect(config, NoTls).await?,
        };
        Ok((client, payloads))
    }

    /// Listens and sets the clock.
    pub async fn begin(&self, client: &Client) -> Result<()> {
        client
            .batch_execute("LISTEN auton8n")
            .await
            .map_err(|error| coded(&error))?;
        self.look(client).await
    }

    async fn look(&self, client: &Client) -> Result<()> {
        let asked = Instant::now();
        let row = client
            .query_one(sql!("clock"), &[])
            .await
            .map_err(|error| coded(&error))?;
        self.clock.set(super::rows::get(&row, 0)?, asked);
        Ok(())
    }

    /// Hears until it is stopped; connects again whenever the connection ends.
    pub async fn run(self, client: Client, payloads: Payloads) {
        let stop = self.stop.clone();
        stop.run_until_cancelled(self.hear_for_ever(client, payloads)).await;
    }

    async fn hear_for_ever(self, mut client: Client, mut payloads: Payloads) {
        loop {
            self.hear(&client, &mut payloads).await;
            self.connections.found(Some("the connection was lost".to_owned()));
            drop(client);
            (client, payloads) = loop {
                tokio::time::sleep(AGAIN).await;
                match self.again().await {
                    Ok(connected) => break connected,
                    Err(error) => self.connections.found(Some(error.to_string())),
                }
            };
            self.connections.found(None);
            // Nobody listens where there is no hub.
            let _ = self.heard.send(Notice::Back);
        }
    }

    async fn again(&self) -> Result<(Client, Payloads)> {
        let (client, payloads) = self.connect().await?;
        self.begin(&client).await?;
        Ok((client, payloads))
    }

    /// Until the connection ends or does not answer.
    async fn hear(&self, client: &Client, payloads: &mut Payloads) {
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                payload = payloads.recv() => match payload {
                    Some(payload) => self.pass(&payload),
                    None => return,
                },
                _ = look.tick() => match tokio::time::timeout(ANSWER, self.look(client)).await {
                    Ok(Ok(())) => self.connections.found(None),
                    _ => return,
                },
            }
        }
    }

    fn pass(&self, payload: &str) {
        // Another version may say what this one does not know.
        if let Ok(sent) = serde_json::from_str::<Sent>(payload)
            && sent.from != self.own
        {
            let _ = self.heard.send(sent.notice);
        }
    }
}

async fn connect<T>(config: &Config, tls: T) -> Result<(Client, Payloads)>
where
    T: MakeTlsConnect<Socket> + Send,
    T::Stream: Send + 'static,
{
    // `connect_timeout` ends with the connection; what listens at that port may say nothing, or something else.
    let connecting = tokio::time::timeout(CONNECT, config.connect(tls)).await;
    let connected = connecting.map_err(|_| unavailable("nothing that speaks PostgreSQL's protocol answers there"))?;
    let (client, mut connection) = connected.map_err(|error| coded(&error))?;
    let (sender, payloads) = mpsc::unbounded_channel();
    // It ends with the connection, which ends with its client.
    tokio::spawn(async move {
        let mut messages = futures_util::stream::poll_fn(move |context| connection.poll_message(context));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(notification) = message {
                let _ = sender.send(notification.payload().to_owned());
            }
        }
    });
    Ok((client, payloads))
}
