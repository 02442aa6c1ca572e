//! What the user told npm: registry, proxy, certificates, credentials.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::url::{bypasses, host_of, percent_decode, without_credentials};

const DEFAULT_REGISTRY: &str = "https://registry.npmjs.org/";

/// Settings of npm by name, the strongest source's value of each: environment, then the project's
/// `.npmrc`, then the user's.
#[derive(Clone, Default)]
pub(super) struct NpmConfig {
    values: BTreeMap<String, String>,
    env: BTreeMap<String, String>,
}

impl std::fmt::Debug for NpmConfig {
    /// Names only: the values hold credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl NpmConfig {
    /// Reads what npm would read in `project`.
    pub fn load(env: &BTreeMap<String, String>, project: Option<&Path>) -> Self {
        let mut config = Self {
            values: BTreeMap::new(),
            env: env.clone(),
        };
        let mut files = Vec::new();
        let from_env = environment_settings(env);
        let home = env.get("HOME").or_else(|| env.get("USERPROFILE"));
        let user = from_env.get("userconfig").map(PathBuf::from);
        files.extend(user.or_else(|| home.map(|home| Path::new(home).join(".npmrc"))));
        files.extend(project.map(|project| project.join(".npmrc")));
        for file in files {
            // npm reads on without a file that cannot be read; so do we.
            let text = std::fs::read_to_string(file).unwrap_or_default();
            config.values.extend(parse(&text, env));
        }
        config.values.extend(from_env);
        config
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .map(String::as_str)
            .filter(|value| !matches!(*value, "" | "null" | "undefined"))
    }

    /// The registry of a package, without credentials, with a slash at its end.
    pub fn registry(&self, package: &str) -> String {
        let scoped = package
            .split_once('/')
            .and_then(|(scope, _)| self.get(&format!("{scope}:registry")));
        let chosen = scoped.or_else(|| self.get("registry")).unwrap_or(DEFAULT_REGISTRY);
        let bare = without_credentials(chosen);
        if bare.ends_with('/') { bare } else { format!("{bare}/") }
    }

    /// Puts another registry in the place of every configured one.
    pub fn use_registry(&mut self, registry: &str) {
        self.values.retain(|name, _| !name.ends_with(":registry"));
        self.values.insert("registry".to_owned(), registry.to_owned());
    }

    /// The `Authorization` header for a URL: that of the longest configured prefix of it.
    pub fn authorization(&self, url: &str) -> Option<String> {
        let (_, rest) = url.split_once("://")?;
        let mut prefix = rest.split(['?', '#']).next().unwrap_or(rest);
        while let Some(slash) = prefix.rfind('/') {
            prefix = &prefix[..slash];
            for key in [format!("//{prefix}/"), format!("//{prefix}")] {
                if let Some(header) = self.header_of(&key) {
                    return Some(header);
                }
            }
        }
        self.credentials_in_registry(url)
    }

    fn header_of(&self, prefix: &str) -> Option<String> {
        if let Some(bearer) = self.get(&format!("{prefix}:_authToken")) {
            return Some(format!("Bearer {bearer}"));
        }
        if let Some(basic) = self.get(&format!("{prefix}:_auth")) {
            return Some(format!("Basic {basic}"));
        }
        let user = self.get(&format!("{prefix}:username"))?;
        let encoded = self.get(&format!("{prefix}:_password"))?;
        let password = STANDARD.decode(encoded).ok()?;
        let pair = [user.as_bytes(), b":", &password].concat();
        Some(format!("Basic {}", STANDARD.encode(pair)))
    }

    /// `https://user:password@host/`, for URLs below it.
    fn credentials_in_registry(&self, url: &str) -> Option<String> {
        let registries = self
            .values
            .iter()
            .filter(|(name, _)| *name == "registry" || name.ends_with(":registry"));
        for (_, registry) in registries {
            let bare = without_credentials(registry);
            if bare != *registry && url.starts_with(&bare) {
                let (_, rest) = registry.split_once("://")?;
                let (pair, _) = rest.split_once('@')?;
                return Some(format!("Basic {}", STANDARD.encode(percent_decode(pair))));
            }
        }
        None
    }

    /// The proxy for a URL, if it is not to be reached directly.
    pub fn proxy(&self, url: &str) -> Option<String> {
        let secure = url.starts_with("https:");
        let from_env = |names: &[&str]| names.iter().find_map(|name| self.env.get(*name)).map(String::as_str);
        let configured = if secure {
            self.get("https-proxy").or_else(|| self.get("proxy"))
        } else {
            self.get("proxy")
        };
        let proxy = match configured {
            Some(proxy) => Some(proxy),
            None if secure => from_env(&[
                "HTTPS_PROXY",
                "https_proxy",
                "HTTP_PROXY",
                "http_proxy",
                "PROXY",
                "proxy",
            ]),
            None => from_env(&["HTTP_PROXY", "http_proxy", "PROXY", "proxy"]),
        }?;
        if matches!(proxy, "false" | "null" | "") {
            return None;
        }
        let exceptions = self
            .get("noproxy")
            .or_else(|| from_env(&["NO_PROXY", "no_proxy"]))
            .unwrap_or_default();
        (!bypasses(exceptions, host_of(url))).then(|| proxy.to_owned())
    }

    /// Whether certificates are checked.
    pub fn strict_ssl(&self) -> bool {
        self.get("strict-ssl") != Some("false")
    }

    /// Certificates that take the place of the system's, as a path.
    pub fn cafile(&self) -> Option<&str> {
        self.get("cafile")
    }

    /// Certificates beside the system's: Node's own setting.
    pub fn extra_certificates(&self) -> Option<&str> {
        self.env
            .get("NODE_EXTRA_CA_CERTS")
            .map(String::as_str)
            .filter(|path| !path.is_empty())
    }
}

/// `npm_config_…` in any case; `_` stands for `-` but in names of registries.
fn environment_settings(env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    for (name, value) in env {
        let Some(prefix) = name.get(..11) else {
            continue;
        };
        if !prefix.eq_ignore_ascii_case("npm_config_") || value.is_empty() {
            continue;
        }
        let rest = &name[11..];
        let key = if rest.starts_with("//") {
            rest.to_owned()
        } else {
            let head = usize::from(rest.starts_with('_'));
            format!("{}{}", &rest[..head], rest[head..].replace('_', "-")).to_ascii_lowercase()
        };
        settings.insert(key, value.clone());
    }
    settings
}

/// The lines of an `.npmrc`: `name = value`, with `${VARIABLE}` filled in.
fn parse(text: &str, env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';', '[']) {
            continue;
        }
        let (name, value) = line.split_once('=').unwrap_or((line, "true"));
        let value = unquote(value.trim());
        settings.insert(expand(unquote(name.trim()), env), expand(value, env));
    }
    settings
}

fn unquote(text: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote)) {
            return inner;
        }
    }
    text
}

/// `${NAME}` is left as it is where the variable is not set, `${NAME?}` becomes empty: npm's rule.
fn expand(text: &str, env: &BTreeMap<String, String>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else {
            break;
        };
        let whole = &rest[start..=start + length];
        let name = &whole[2..whole.len() - 1];
        expanded.push_str(&rest[..start]);
        match (env.get(name.trim_end_matches('?')), name.ends_with('?')) {
            (Some(value), _) => expanded.push_str(value),
            (None, true) => {}
            (None, false) => expanded.push_str(whole),
        }
        rest = &rest[start + length + 1..];
    }
    expanded + rest
}

#[cfg(test)]
#[path = "npm_config_tests.rs"]
mod tests;
