//! Where the server is, and how it is spoken to.

use std::sync::Arc;
use std::time::Duration;

use redis::{ConnectionAddr, IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::failure::unavailable;
use crate::error::{Code, Error, Result};
use crate::store::StoreUrl;
use crate::store::server::trusted;

/// How long a connection may take.
pub const CONNECT: Duration = Duration::from_secs(5);

/// A connection, encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// The address of a server. It holds a password, so it is never shown.
pub struct Address {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    /// User, password and database.
    pub login: RedisConnectionInfo,
}

impl Address {
    /// Reads `redis://user:password@host:port/database` or `rediss://…`.
    pub fn parse(url: &StoreUrl) -> Result<Self> {
        let text = url.reveal();
        // Encryption is done here, with the same trust as everywhere in this program.
        let (encrypted, plain) = match text.strip_prefix("rediss:") {
            Some(rest) => (true, format!("redis:{rest}")),
            None => (false, text.to_owned()),
        };
        // The parser's own words may repeat a part of the address.
        let parsed = plain.as_str().into_connection_info().map_err(|_| invalid())?;
        let ConnectionAddr::Tcp(host, port) = parsed.addr().clone() else {
            return Err(invalid());
        };
        if plain.contains('#') {
            return Err(invalid());
        }
        let login = parsed
            .redis_settings()
            .clone()
            .set_protocol(ProtocolVersion::RESP2)
            .set_lib_name("auton8n", env!("CARGO_PKG_VERSION"));
        let tls = if encrypted { Some(tls(&host)?) } else { None };
        Ok(Self { host, port, tls, login })
    }

    /// Connects.
    pub async fn connect(&self) -> Result<Box<dyn Stream>> {
        let connect = async {
            let plain = TcpStream::connect((self.host.as_str(), self.port)).await?;
            plain.set_nodelay(true)?;
            Ok::<Box<dyn Stream>, std::io::Error>(match &self.tls {
                Some((connector, name)) => Box::new(connector.connect(name.clone(), plain).await?),
                None => Box::new(plain),
            })
        };
        match timeout(CONNECT, connect).await {
            Ok(connected) => connected.map_err(|error| unavailable(&error.to_string())),
            Err(_) => Err(unavailable("no connection in time")),
        }
    }
}

fn invalid() -> Error {
    Error::new(
        Code::OptionInvalid,
        "`store` is not an address of Redis; write redis://user:password@host:port/database, or rediss:// for TLS",
    )
}

/// Demands a certificate that this system trusts.
fn tls(host: &str) -> Result<(TlsConnector, ServerName<'static>)> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| invalid())?;
    Ok((TlsConnector::from(Arc::new(trusted()?)), name))
}
