//! The engine's own client of a package registry: GET only, with what the user told npm.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::time::Duration;

use parking_lot::Mutex;
use sha2::{Digest, Sha512};
use tokio_util::sync::CancellationToken;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::typestate::{WithBody, WithoutBody};
use ureq::{Agent, Proxy, RequestBuilder};

use super::npm_config::NpmConfig;
use super::url::without_credentials;

const TIMEOUT_CONNECT: Duration = Duration::from_secs(10);
const TIMEOUT_READ: Duration = Duration::from_secs(20);
const TIMEOUT_WHOLE: Duration = Duration::from_mins(10);
/// Waits before the second and the third try.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(1200)];
/// Bytes of an answer that says where an archive lies.
const MAX_MANIFEST: u64 = 1 << 20;

/// Why a download did not come about.
#[derive(Debug)]
pub(super) enum Failure {
    Cancelled,
    /// The registry answered, but not with the file.
    Status(u16),
    /// Nobody answered, or not to the end.
    Transport(String),
    /// It does not help to try again.
    Final(String),
}

impl Failure {
    const fn may_pass(&self) -> bool {
        matches!(self, Self::Status(408 | 425 | 429 | 500..) | Self::Transport(_))
    }

    /// What went wrong before there was an answer.
    pub fn of(error: ureq::Error) -> Self {
        match error {
            ureq::Error::InvalidProxyUrl => Self::Final("the proxy in your npm configuration is no URL".to_owned()),
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                Self::Final("the registry in your npm configuration is no URL".to_owned())
            }
            ureq::Error::Rustls(error) => Self::Final(format!(
                "the connection is not trusted ({error}): set `cafile` in your .npmrc or NODE_EXTRA_CA_CERTS"
            )),
            ureq::Error::HostNotFound => Self::Transport("its host was not found".to_owned()),
            other => Self::Transport(format!("{other}")),
        }
    }

    /// In words, without credentials.
    pub fn reason(&self) -> String {
        match self {
            Self::Cancelled => "it was cancelled".to_owned(),
            Self::Status(status @ (401 | 403)) => {
                format!("the registry answered {status}: check the credentials in your .npmrc")
            }
            Self::Status(status) => format!("the registry answered {status}"),
            Self::Transport(why) | Self::Final(why) => why.clone(),
        }
    }
}

/// A client for any number of threads.
pub(super) struct Client {
    npm: NpmConfig,
    agents: Mutex<HashMap<(Option<String>, bool), Agent>>,
}

impl Client {
    pub fn new(npm: NpmConfig) -> Self {
        Self {
            npm,
            agents: Mutex::default(),
        }
    }

    /// Who is asked for a package; may be shown.
    pub fn registry(&self, name: &str) -> String {
        self.npm.registry(name)
    }

    /// Writes a package's archive to `target` and answers its SHA-512; tries again what may pass.
    pub fn archive(
        &self,
        name: &str,
        version: &str,
        limit: u64,
        target: &mut (impl Write + Restart),
        token: &CancellationToken,
    ) -> Result<Vec<u8>, Failure> {
        let registry = self.npm.registry(name);
        let base = name.rsplit('/').next().unwrap_or(name);
        let usual = format!("{registry}{name}/-/{base}-{version}.tgz");
        match self.with_patience(&usual, limit, target, token) {
            // Some registries keep archives elsewhere; their manifest says where.
            Err(Failure::Status(404)) => match self.place_of_archive(&registry, name, version) {
                Some(place) if place != usual => self.with_patience(&place, limit, target, token),
                _ => Err(Failure::Status(404)),
            },
            other => other,
        }
    }

    fn with_patience(
        &self,
        url: &str,
        limit: u64,
        target: &mut (impl Write + Restart),
        token: &CancellationToken,
    ) -> Result<Vec<u8>, Failure> {
        let mut pauses = PAUSES.iter();
        loop {
            target
                .restart()
                .map_err(|error| Failure::Final(format!("a temporary file cannot be written: {error}")))?;
            match self.once(url, limit, target, token) {
                Err(failure) if failure.may_pass() => match pauses.next() {
                    Some(pause) => wait(*pause, token)?,
                    None => return Err(failure),
                },
                other => return other,
            }
        }
    }

    fn once(
        &self,
        url: &str,
        limit: u64,
        target: &mut impl Write,
        token: &CancellationToken,
    ) -> Result<Vec<u8>, Failure> {
        let mut response = self.get(url)?;
        let mut body = response.body_mut().with_config().limit(limit).reader();
        let mut hash = Sha512::new();
        let mut buffer = vec![0; 64 << 10];
        loop {
            if token.is_cancelled() {
                return Err(Failure::Cancelled);
            }
            let read = body
                .read(&mut buffer)
                .map_err(|error| match error.get_ref().map(ToString::to_string) {
                    Some(inner) if inner.contains("limit") => {
                        Failure::Final(format!("it is larger than {limit} bytes"))
                    }
                    _ => Failure::Transport(format!("the answer broke off ({error})")),
                })?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            hash.update(bytes);
            target
                .write_all(bytes)
                .map_err(|error| Failure::Final(format!("a temporary file cannot be written: {error}")))?;
        }
        Ok(hash.finalize().to_vec())
    }

    fn place_of_archive(&self, registry: &str, name: &str, version: &str) -> Option<String> {
        let mut response = self
            .get(&format!("{registry}{}/{version}", name.replace('/', "%2f")))
            .ok()?;
        let text = response
            .body_mut()
            .with_config()
            .limit(MAX_MANIFEST)
            .read_to_string()
            .ok()?;
        let manifest: serde_json::Value = serde_json::from_str(&text).ok()?;
        let place = manifest.pointer("/dist/tarball")?.as_str()?;
        place.starts_with("http").then(|| without_credentials(place))
    }

    fn get(&self, url: &str) -> Result<ureq::http::Response<ureq::Body>, Failure> {
        let answer = match self.send(url, false) {
            // Node's extra certificates are tried where the system's do not do.
            Err(ureq::Error::Rustls(_) | ureq::Error::Tls(_) | ureq::Error::Io(_))
                if url.starts_with("https:") && self.npm.extra_certificates().is_some() =>
            {
                self.send(url, true)
            }
            other => other,
        };
        let response = answer.map_err(Failure::of)?;
        match response.status().as_u16() {
            200 => Ok(response),
            status => Err(Failure::Status(status)),
        }
    }

    fn send(&self, url: &str, extra: bool) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        self.asked(url, extra)?.call()
    }

    /// A question that is not sent yet, with the credentials for its address.
    pub fn asked(&self, url: &str, extra: bool) -> Result<RequestBuilder<WithoutBody>, ureq::Error> {
        let request = self.agent(self.npm.proxy(url), extra)?.get(url);
        Ok(match self.npm.authorization(url) {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        })
    }

    /// The same with something to say.
    pub fn posted(&self, url: &str, extra: bool) -> Result<RequestBuilder<WithBody>, ureq::Error> {
        let request = self.agent(self.npm.proxy(url), extra)?.post(url);
        Ok(match self.npm.authorization(url) {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        })
    }

    fn agent(&self, proxy: Option<String>, extra: bool) -> Result<Agent, ureq::Error> {
        let key = (proxy, extra);
        if let Some(agent) = self.agents.lock().get(&key) {
            return Ok(agent.clone());
        }
        let roots = match (self.npm.cafile(), self.npm.extra_certificates()) {
            (_, Some(path)) if extra => certificates(path)?,
            (Some(path), _) => certificates(path)?,
            _ => RootCerts::PlatformVerifier,
        };
        let tls = TlsConfig::builder()
            .root_certs(roots)
            .disable_verification(!self.npm.strict_ssl())
            .build();
        let config = Agent::config_builder()
            .proxy(key.0.as_deref().map(Proxy::new).transpose()?)
            .tls_config(tls)
            .http_status_as_error(false)
            .timeout_resolve(Some(TIMEOUT_CONNECT))
            .timeout_connect(Some(TIMEOUT_CONNECT))
            .timeout_per_read(Some(TIMEOUT_READ))
            .timeout_global(Some(TIMEOUT_WHOLE))
            .user_agent(concat!("auton8n/", env!("CARGO_PKG_VERSION")))
            .build();
        let agent = config.new_agent();
        self.agents.lock().insert(key, agent.clone());
        Ok(agent)
    }
}

/// What can be emptied for another try.
pub(super) trait Restart {
    fn restart(&mut self) -> std::io::Result<()>;
}

impl Restart for std::fs::File {
    fn restart(&mut self) -> std::io::Result<()> {
        use std::io::Seek;
        self.rewind()?;
        self.set_len(0)
    }
}

fn certificates(path: &str) -> Result<RootCerts, ureq::Error> {
    let pem = std::fs::read(path)?;
    let items = parse_pem(&pem).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    Ok(RootCerts::from(items.collect::<Vec<_>>()))
}

fn wait(pause: Duration, token: &CancellationToken) -> Result<(), Failure> {
    let step = Duration::from_millis(50);
    let mut left = pause;
    while !left.is_zero() {
        if token.is_cancelled() {
            return Err(Failure::Cancelled);
        }
        std::thread::sleep(step.min(left));
        left = left.saturating_sub(step);
    }
    Ok(())
}
