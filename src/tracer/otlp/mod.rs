//! OTLP over HTTP: protobuf or JSON, gzip, and the answers of a receiver.

mod json;
mod protobuf;

use std::io::Write;
use std::time::Duration;

use serde::Deserialize;

use super::exporter::{Export, Exporter, Resource};
use super::span::SpanRecord;
use crate::error::{Code, Error, Result};

const MOST_ANSWER: u64 = 64 << 10;

/// How spans are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Protocol {
    #[default]
    #[serde(rename = "http/protobuf", alias = "protobuf")]
    Protobuf,
    #[serde(rename = "http/json", alias = "json")]
    Json,
}

/// Whether bodies are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    #[default]
    None,
    Gzip,
}

/// Where spans are sent, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OtlpOptions {
    /// `http(s)://host:port`, to which `/v1/traces` is added, or a whole address.
    pub url: String,
    #[serde(default)]
    pub headers: std::collections::BTreeMap<String, String>,
    /// Default protobuf.
    #[serde(default)]
    pub protocol: Protocol,
    /// Default none.
    #[serde(default)]
    pub compression: Compression,
    /// Milliseconds of one request. Default 10 000.
    #[serde(default)]
    pub timeout: Option<u64>,
}

/// Sends spans to an OTLP receiver.
pub struct OtlpExporter {
    agent: ureq::Agent,
    url: String,
    options: OtlpOptions,
}

impl OtlpExporter {
    /// An address or a header that cannot be used is `OPTION_INVALID`.
    pub fn new(options: OtlpOptions) -> Result<Self> {
        let url = address(&options.url)?;
        for (name, value) in &options.headers {
            let sound =
                ureq::http::HeaderName::try_from(name).is_ok() && ureq::http::HeaderValue::try_from(value).is_ok();
            if !sound {
                return Err(Error::new(
                    Code::OptionInvalid,
                    format!("OTLP option headers: '{name}' is not a header"),
                ));
            }
        }
        let timeout = options.timeout.unwrap_or(10_000);
        if !(1..=600_000).contains(&timeout) {
            return Err(Error::new(
                Code::OptionInvalid,
                "OTLP option timeout must be 1 to 600000 ms",
            ));
        }
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_millis(timeout)))
            .http_status_as_error(false)
            .max_redirects(0)
            .build()
            .into();
        Ok(Self { agent, url, options })
    }

    fn body(&self, resource: &Resource, spans: &[SpanRecord]) -> Result<Vec<u8>> {
        let plain = match self.options.protocol {
            Protocol::Json => json::encode(resource, spans),
            Protocol::Protobuf => protobuf::encode(resource, spans),
        };
        if self.options.compression == Compression::None {
            return Ok(plain);
        }
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&plain)
            .and_then(|()| gzip.finish())
            .map_err(|error| Error::new(Code::ExportFailed, "Spans could not be compressed").because(error))
    }
}

impl Exporter for OtlpExporter {
    fn export(&mut self, resource: &Resource, spans: &[SpanRecord]) -> Result<Export> {
        let json = self.options.protocol == Protocol::Json;
        let kind = if json {
            "application/json"
        } else {
            "application/x-protobuf"
        };
        let mut request = self.agent.post(&self.url).header("content-type", kind);
        if self.options.compression == Compression::Gzip {
            request = request.header("content-encoding", "gzip");
        }
        for (name, value) in &self.options.headers {
            request = request.header(name, value);
        }
        let body = self.body(resource, spans)?;
        let mut response = match request.send(&body[..]) {
            Ok(response) => response,
            Err(error) => {
                return Ok(Export::Retry {
                    after: None,
                    why: format!("the receiver could not be reached: {error}"),
                });
            }
        };
        let status = response.status().as_u16();
        let after = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let answer = response
            .body_mut()
            .with_config()
            .limit(MOST_ANSWER)
            .read_to_vec()
            .unwrap_or_default();
        match status {
            200..=299 => {
                let rejected = if json {
                    json::rejected(&answer)
                } else {
                    protobuf::rejected(&answer)
                };
                Ok(Export::Done { rejected })
            }
            429 | 502 | 503 | 504 => Ok(Export::Retry {
                after: after.map(Duration::from_secs),
                why: format!("the receiver answered {status}"),
            }),
            _ => Err(Error::new(
                Code::ExportFailed,
                format!("The receiver of spans answered {status}: check its address and headers"),
            )),
        }
    }
}

fn address(url: &str) -> Result<String> {
    let wrong = || {
        Error::new(
            Code::OptionInvalid,
            "OTLP option url must be http:// or https:// with a host",
        )
    };
    let uri: ureq::http::Uri = url.trim().parse().map_err(|_| wrong())?;
    let scheme = uri.scheme_str().unwrap_or_default();
    if !matches!(scheme, "http" | "https") || uri.host().is_none_or(str::is_empty) {
        return Err(wrong());
    }
    if matches!(uri.path(), "" | "/") && uri.query().is_none() {
        return Ok(format!("{}/v1/traces", url.trim().trim_end_matches('/')));
    }
    Ok(url.trim().to_owned())
}

#[cfg(test)]
mod tests;
