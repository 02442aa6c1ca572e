//! What a plugin's code reaches beside what its specification declares.

use std::collections::BTreeSet;

use oxc_span::Span;

use super::policy::Policy;

/// A place in a source, a code and a message.
type Refused = (Span, &'static str, String);

const SCHEMES: &[&str] = &["https:", "http:", "wss:", "ws:"];
/// A stand-in for a base, and what the specification may name for trials.
const LOCAL: &[&str] = &["localhost", "127.0.0.1", "[::1]"];

/// Something that code names, and where.
pub(super) type Named = (String, Span);

/// What of the hosts and settings is not declared.
pub(super) fn undeclared(hosts: &[Named], settings: &[Named], policy: &Policy) -> Vec<Refused> {
    let mut refused = Vec::new();
    let mut seen = BTreeSet::new();
    for (host, span) in hosts.iter().filter(|(host, _)| seen.insert(host)) {
        let bare = without_port(host);
        if let Some(declared) = &policy.hosts
            && !LOCAL.contains(&bare)
            && !declared.contains(bare)
        {
            let known: Vec<_> = declared.iter().take(20).map(String::as_str).collect();
            let message = format!(
                "no `http.url` of the specification names the host {}; there are: {}",
                shown(host),
                known.join(", ")
            );
            refused.push((*span, "undeclared-host", message));
        }
    }
    let mut seen = BTreeSet::new();
    for (name, span) in settings.iter().filter(|(name, _)| seen.insert(name)) {
        if !policy.environment.contains(name) {
            let message = format!(
                "the setting {} is not declared among the specification's environmentVariables",
                shown(name)
            );
            refused.push((*span, "undeclared-setting", message));
        }
    }
    refused
}

/// The hosts of the URLs in a text, in lower case, with their ports.
pub(super) fn hosts_in(text: &str) -> BTreeSet<String> {
    // As `fetch` reads them: in any case, with line feeds and tabs left out, and either slash.
    let text: String = text
        .chars()
        .filter(|c| !matches!(c, '\t' | '\n' | '\r'))
        .collect::<String>()
        .to_ascii_lowercase();
    let mut hosts = BTreeSet::new();
    for scheme in SCHEMES {
        for (at, _) in text.match_indices(scheme) {
            if text[..at].ends_with(|c: char| c.is_ascii_alphanumeric()) {
                continue;
            }
            let rest = &text[at + scheme.len()..];
            let tail = rest.trim_start_matches(['/', '\\']);
            let authority = tail
                .split(['/', '?', '#', ' ', '"', '\'', '`', '\\', ')', '<', '>', ','])
                .next()
                .unwrap_or_default();
            let host = authority.rsplit('@').next().unwrap_or_default();
            let slashes = rest.len() - tail.len();
            // Without both slashes it is most often prose.
            if !host.is_empty() && host.len() < 256 && (slashes > 1 || host.trim_end_matches('.').contains('.')) {
                hosts.insert(host.to_owned());
            }
        }
    }
    hosts
}

/// A host without its port.
pub(super) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !bare.is_empty() => bare,
        _ => host,
    }
}

/// The setting that a chain of names reads from a character; `Err` where that is not known.
pub(super) fn setting_of<'n>(names: &[&'n str]) -> Option<Result<&'n str, ()>> {
    let at = names.iter().position(|name| *name == "character")?;
    let ["settings" | "secrets", rest @ ..] = &names[at + 1..] else {
        return None;
    };
    let mut rest = rest;
    while let ["secrets", after @ ..] = rest {
        rest = after;
    }
    Some(match rest {
        [name, ..] if *name != super::chain::UNKNOWN => Ok(name),
        _ => Err(()),
    })
}

fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(100).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_as_fetch_reads_them() {
        for (text, expected) in [
            ("https://a.example/x", vec!["a.example"]),
            ("HTTPS://A.example:8443?x", vec!["a.example:8443"]),
            ("https:a.example/x", vec!["a.example"]),
            ("https:\\\\a.example\\x", vec!["a.example"]),
            ("ht\ntps://a.exa\tmple", vec!["a.example"]),
            ("wss://u:p@a.example#b", vec!["a.example"]),
            (
                "see http://b.example, then https://a.example",
                vec!["a.example", "b.example"],
            ),
            ("https://", vec![]),
            ("about https: it is safe", vec![]),
            ("xhttps://a.example", vec![]),
            ("node:http", vec![]),
        ] {
            assert_eq!(hosts_in(text).into_iter().collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn ports_are_taken_off() {
        for (host, bare) in [
            ("a.b:80", "a.b"),
            ("a.b", "a.b"),
            ("[::1]", "[::1]"),
            ("[::1]:9", "[::1]"),
        ] {
            assert_eq!(without_port(host), bare);
        }
    }
}
