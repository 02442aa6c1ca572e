//! What an import may name.

use crate::files::FileSet;

use super::policy::Policy;

/// Every built-in module of Node, which may be named without `node:`.
const BUILT_INS: &[&str] = &[
    "_http_agent",
    "_http_client",
    "_http_common",
    "_http_incoming",
    "_http_outgoing",
    "_http_server",
    "_stream_duplex",
    "_stream_passthrough",
    "_stream_readable",
    "_stream_transform",
    "_stream_wrap",
    "_stream_writable",
    "_tls_common",
    "_tls_wrap",
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "repl",
    "stream",
    "string_decoder",
    "sys",
    "timers",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
];

/// Those that open connections.
const CONNECTING: &[&str] = &["dgram", "dns", "http", "http2", "https", "net", "tls"];

/// What an import leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target<'s> {
    File(String),
    BuiltIn { name: &'s str, connects: bool },
    Package(&'s str),
}

/// A code and a message.
type Refusal = (&'static str, String);

/// Judges one import of `from`.
pub(super) fn judge<'s>(
    specifier: &'s str,
    from: &str,
    type_only: bool,
    files: &FileSet,
    policy: &Policy,
) -> Result<Target<'s>, Refusal> {
    let shown: String = specifier.chars().take(100).collect();
    let strange = |byte: u8| byte <= b' ' || b"\\?#%*!".contains(&byte);
    if specifier.is_empty() || specifier.bytes().any(strange) {
        return Err((
            "import-refused",
            format!("the import {shown:?} is refused: it is no plain path or name"),
        ));
    }
    let first = specifier.split('/').next().unwrap_or_default();
    if matches!(first, "." | "..") {
        return relative(specifier, from, files, policy).map(Target::File);
    }
    let built_in = specifier.strip_prefix("node:");
    if built_in.is_none() && (specifier.starts_with('/') || specifier.contains(':')) {
        return Err((
            "import-refused",
            format!(
                "the import {shown:?} is refused: only relative paths, packages and `node:` modules may be imported"
            ),
        ));
    }
    let base = built_in.unwrap_or(first).split('/').next().unwrap_or_default();
    if built_in.is_some() || BUILT_INS.contains(&base) {
        if !type_only && !policy.built_ins.contains(base) {
            let message =
                format!("the built-in module {base:?} is refused: this plugin's specification does not ask for it");
            return Err(("import-builtin", message));
        }
        return Ok(Target::BuiltIn {
            name: base,
            connects: CONNECTING.contains(&base) && !type_only,
        });
    }
    package(specifier, from, policy)
}

fn package<'s>(specifier: &'s str, from: &str, policy: &Policy) -> Result<Target<'s>, Refusal> {
    let slashes = if specifier.starts_with('@') { 2 } else { 1 };
    let end = specifier
        .match_indices('/')
        .nth(slashes - 1)
        .map_or(specifier.len(), |(at, _)| at);
    let name = &specifier[..end];
    if specifier[end..].split('/').any(|part| part.starts_with('.')) {
        return Err((
            "import-refused",
            format!("the import {specifier:?} is refused: it leaves its package"),
        ));
    }
    if name == "vitest" {
        if !is_test(from) {
            return Err(("import-test", "only tests may import vitest".to_owned()));
        }
        if specifier != "vitest" {
            return Err((
                "import-test",
                "tests import from 'vitest' itself, from no part of it".to_owned(),
            ));
        }
    } else if !policy.packages.contains(name) {
        let message = format!(
            "the package {name:?} may not be used; there are: {}",
            policy
                .packages
                .iter()
                .take(20)
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        );
        return Err(("dependency-unsupported", message));
    }
    Ok(Target::Package(name))
}

/// Whether a file is a test by its place.
pub(super) fn is_test(file: &str) -> bool {
    file.starts_with("__tests__/")
}

fn relative(specifier: &str, from: &str, files: &FileSet, policy: &Policy) -> Result<String, Refusal> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in specifier.split('/') {
        match part {
            ".." if parts.pop().is_none() => {
                return Err(("import-outside", format!("the import {specifier:?} leaves the package")));
            }
            "" | "." | ".." => {}
            other => parts.push(other),
        }
    }
    let path = parts.join("/");
    let stem = [".js", ".mjs", ".ts"]
        .iter()
        .find_map(|extension| path.strip_suffix(extension));
    let candidates = match stem {
        Some(stem) => vec![path.clone(), format!("{stem}.ts"), format!("{stem}.tsx")],
        None => vec![format!("{path}.ts"), format!("{path}.tsx"), format!("{path}/index.ts")],
    };
    let exists = |path: &String| files.contains_key(path) || policy.own_files.contains(path);
    let Some(found) = candidates.into_iter().find(exists) else {
        let other = path
            .rsplit('/')
            .next()
            .and_then(|name| name.rsplit_once('.'))
            .map(|(_, extension)| extension);
        if matches!(
            other,
            Some("json" | "json5" | "jsonc" | "node" | "wasm" | "toml" | "txt" | "html" | "css" | "sh")
        ) {
            return Err((
                "import-kind",
                format!("the import {specifier:?} is refused: only TypeScript may be imported"),
            ));
        }
        return Err((
            "import-missing",
            format!("the import {specifier:?} leads to no file of the package"),
        ));
    };
    if is_test(&found) && !is_test(from) {
        return Err(("import-test", format!("{from} may not import the test {found}")));
    }
    Ok(found)
}
