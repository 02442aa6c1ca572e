//! Questions about packages, asked of the user's registries. Nothing that is fetched is run.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use ureq::http::Response;
use ureq::{Body, RequestBuilder};

use super::client::{Client, Failure};
use super::npm_config::NpmConfig;

/// The longest that one question may take, whatever time is left.
const LONGEST: Duration = Duration::from_secs(20);
/// The short form of what a registry knows of a package, where it has one.
const SHORT: &str = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";

/// Asks registries, with what the user told npm. For any number of threads.
pub struct RegistryClient {
    client: Client,
}

impl RegistryClient {
    /// With npm's settings of `env` and `project`; `registry` takes the place of every configured one.
    pub fn new(env: &BTreeMap<String, String>, project: Option<&Path>, registry: Option<&str>) -> Self {
        let mut npm = NpmConfig::load(env, project);
        if let Some(registry) = registry {
            npm.use_registry(registry);
        }
        Self {
            client: Client::new(npm),
        }
    }

    /// Who is asked for a package; may be shown.
    pub fn registry(&self, name: &str) -> String {
        self.client.registry(name)
    }

    /// What the registry knows of a package; `short` leaves out what an installation does not need. The error says
    /// why there is none.
    pub fn packument(&self, name: &str, short: bool, limit: u64, until: Instant) -> Result<Vec<u8>, String> {
        // A name is a stranger's word: only what a name may hold goes into an address.
        let plain = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"@/-_.~".contains(&byte));
        if !plain || name.contains("..") || name.matches('/').count() > 1 {
            return Err("it is not a name that a registry can have".to_owned());
        }
        let url = format!("{}{}", self.client.registry(name), name.replace('/', "%2f"));
        let accept = if short { SHORT } else { "application/json" };
        let asked = self
            .client
            .asked(&url, false)
            .map_err(|error| Failure::of(error).reason())?;
        let asked = asked.header("accept", accept);
        let answer = within(asked, until)?
            .call()
            .map_err(|error| Failure::of(error).reason())?;
        body(answer, limit)
    }

    /// Posts JSON to a path of the registry.
    pub fn post(&self, path: &str, json: &[u8], limit: u64, until: Instant) -> Result<Vec<u8>, String> {
        let url = format!("{}{path}", self.client.registry(""));
        let asked = self
            .client
            .posted(&url, false)
            .map_err(|error| Failure::of(error).reason())?;
        let asked = asked.header("content-type", "application/json");
        let answer = within(asked, until)?
            .send(json)
            .map_err(|error| Failure::of(error).reason())?;
        body(answer, limit)
    }

    /// Writes what an address has to `target`, and answers its SHA-256 in hex.
    pub fn download(
        &self,
        url: &str,
        limit: u64,
        target: &mut impl Write,
        token: &CancellationToken,
    ) -> Result<String, String> {
        let asked = self
            .client
            .asked(url, false)
            .map_err(|error| Failure::of(error).reason())?;
        let mut answer = asked.call().map_err(|error| Failure::of(error).reason())?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(format!("the server answered {status}"));
        }
        let mut reader = answer.body_mut().with_config().limit(limit).reader();
        let (mut hash, mut buffer) = (Sha256::new(), vec![0; 64 << 10]);
        loop {
            if token.is_cancelled() {
                return Err("it was cancelled".to_owned());
            }
            let read = reader
                .read(&mut buffer)
                .map_err(|error| format!("the answer broke off ({error})"))?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            hash.update(bytes);
            target
                .write_all(bytes)
                .map_err(|error| format!("it cannot be written ({error})"))?;
        }
        Ok(hex::encode(hash.finalize()))
    }
}

fn within<B>(request: RequestBuilder<B>, until: Instant) -> Result<RequestBuilder<B>, String> {
    let left = until.saturating_duration_since(Instant::now()).min(LONGEST);
    if left.is_zero() {
        return Err("the time for asking is used up".to_owned());
    }
    Ok(request.config().timeout_global(Some(left)).build())
}

fn body(mut answer: Response<Body>, limit: u64) -> Result<Vec<u8>, String> {
    match answer.status().as_u16() {
        200 => answer
            .body_mut()
            .with_config()
            .limit(limit)
            .read_to_vec()
            .map_err(|error| format!("the answer broke off ({error})")),
        404 => Err("the registry does not have it".to_owned()),
        status => Err(Failure::Status(status).reason()),
    }
}
