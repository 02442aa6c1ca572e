//! The URL of a request: https, a fixed host, no way to climb.

use super::placeholder::{Placeholder, placeholders};
use super::problem::{Problems, shown};
use super::scope::{self, Scope};

/// Tells what is wrong with a URL; `false` where it cannot be used at all.
pub(super) fn check(problems: &mut Problems, path: &str, url: &str, scope: &Scope<'_>) -> bool {
    let fix = "Write it like https://api.example.com/v1/{city}";
    let Some((scheme, rest)) = url.split_once("://") else {
        problems.add(path, format!("{} is not an absolute URL", shown(url)), fix);
        return false;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    let wrong = if authority.contains('@') {
        Some(("holds a user name or password", "Use a header with ${VARIABLE}"))
    } else if authority.contains(['{', '}']) {
        Some((
            "has a placeholder in its host",
            "The host must be fixed; placeholders may stand in path and query",
        ))
    } else if !local && !is_host(host) {
        Some(("has no valid host", fix))
    } else if port.is_some_and(|port| port.parse::<u16>().map_or(true, |port| port == 0)) {
        Some(("has no valid port", fix))
    } else if !(scheme == "https" || (scheme == "http" && local)) {
        Some((
            "is not https",
            "Write https://; http is only for localhost and 127.0.0.1",
        ))
    } else if tail.contains('#') {
        Some(("has a fragment, which is never sent", "Remove the part after #"))
    } else if tail.chars().any(|c| c.is_whitespace() || "\\<>\"^`|".contains(c)) || !tail.is_ascii() {
        Some((
            "holds characters that must be percent-encoded",
            "Encode them, such as %20 for a space",
        ))
    } else if tail.split(['/', '?']).any(|part| matches!(part, "." | "..")) {
        Some(("climbs with ..", "Write the path as it is"))
    } else {
        None
    };
    if let Some((what, fix)) = wrong {
        problems.add(path, what, fix);
        return false;
    }
    let found = placeholders(tail);
    for placeholder in &found {
        match placeholder {
            Placeholder::Parameter(name) => {
                if let Some(parameter) = scope.parameters.get(*name)
                    && !parameter.required
                    && parameter.default.is_none()
                {
                    problems.add(
                        path,
                        format!("needs {{{name}}}, which is optional and has no default"),
                        "Make it required, give it a default, or move it to query",
                    );
                }
            }
            Placeholder::Variable(name) => {
                if scope
                    .variables
                    .iter()
                    .any(|variable| variable.name == **name && !variable.required)
                {
                    problems.add(
                        path,
                        format!("needs ${{{name}}}, which is optional"),
                        "Make the variable required, or move it to query or headers",
                    );
                }
            }
        }
    }
    scope::check(problems, path, found, scope);
    true
}

fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.len() <= 253 && host.contains('.') && host.split('.').all(label)
}
