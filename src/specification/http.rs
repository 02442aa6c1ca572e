//! The request of an action or provider.

use std::collections::{BTreeMap, BTreeSet};

use super::place;
use super::placeholder::{Placeholder, placeholders, placeholders_in_json};
use super::problem::{Problems, shown};
use super::shape::{Object, kind, member};
use super::types::{EnvironmentVariable, Http, Method, Parameter};

const KNOWN: &[&str] = &["method", "url", "query", "headers", "body", "result", "phrase", "timeout"];
const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];
/// Headers that belong to the connection.
const FORBIDDEN: &[&str] = &[
    "host", "content-length", "connection", "transfer-encoding", "keep-alive", "upgrade", "te", "trailer", "expect",
    "proxy-authorization", "proxy-connection",
];

/// What the texts of a request may name.
pub(super) struct Scope<'a> {
    pub(super) parameters: &'a BTreeMap<String, Parameter>,
    pub(super) variables: &'a [EnvironmentVariable],
    /// Names of variables that stand in the list but have another problem: not told twice.
    pub(super) named: &'a BTreeSet<String>,
}

pub(super) fn read(problems: &mut Problems, owner: &Object<'_>, scope: &Scope<'_>) -> Option<Http> {
    let object = Object::read(problems, &owner.at("http"), owner.get("http")?, KNOWN)?;
    let method = read_method(problems, &object);
    let url = object.text(problems, "url", 2000).filter(|url| check_url(problems, &object.at("url"), url, scope));
    let query = object.texts(problems, "query", 2000);
    let headers = object.texts(problems, "headers", 2000);
    let phrase = object.optional_text(problems, "phrase", 2000).unwrap_or_default();
    let result = read_result(problems, &object);
    let timeout = read_timeout(problems, &object);
    for (name, value) in &query {
        let path = member(&object.at("query"), name);
        if name.is_empty() || name.len() > 200 {
            problems.add(&path, "has an empty or too long name", "Name the query parameter");
        }
        check_names(problems, &path, placeholders(value), scope);
    }
    for (name, value) in &headers {
        let path = member(&object.at("headers"), name);
        check_header(problems, &path, name, value);
        check_names(problems, &path, placeholders(value), scope);
    }
    let mut lower: Vec<String> = headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    lower.sort_unstable();
    if let Some(pair) = lower.windows(2).find(|pair| pair[0] == pair[1]) {
        problems.add(object.at("headers"), format!("holds {} twice in different case", shown(&pair[0])), "Remove one of them");
    }
    let body = object.get("body");
    if let Some(body) = body {
        check_names(problems, &object.at("body"), placeholders_in_json(body), scope);
        if method == Some(Method::Get) {
            problems.add(object.at("body"), "stands beside the method GET, which has no body", "Write \"method\": \"POST\", or use query");
        }
    }
    for placeholder in placeholders(phrase) {
        match placeholder {
            Placeholder::Parameter("result") => {}
            Placeholder::Parameter(_) => check_names(problems, &object.at("phrase"), vec![placeholder], scope),
            Placeholder::Variable(name) => {
                problems.add(object.at("phrase"), format!("would say the setting {name} in the chat"), "Remove it");
            }
        }
    }
    let owned = |entries: Vec<(&String, &str)>| entries.into_iter().map(|(k, v)| (k.clone(), v.to_owned())).collect();
    Some(Http {
        method: method?,
        url: url?.to_owned(),
        query: owned(query),
        headers: owned(headers),
        body: body.cloned(),
        result: result?,
        phrase: phrase.to_owned(),
        timeout,
    })
}

fn read_method(problems: &mut Problems, object: &Object<'_>) -> Option<Method> {
    if object.get("method").is_none() {
        return Some(Method::Get);
    }
    let text = object.optional_text(problems, "method", 20)?;
    match text.to_ascii_uppercase().as_str() {
        "GET" => Some(Method::Get),
        "POST" => Some(Method::Post),
        "PUT" => Some(Method::Put),
        "PATCH" => Some(Method::Patch),
        "DELETE" => Some(Method::Delete),
        _ => {
            problems.add(object.at("method"), format!("{} is not a method", shown(text)), format!("Write one of {}", METHODS.join(", ")));
            None
        }
    }
}

fn read_result(problems: &mut Problems, object: &Object<'_>) -> Option<String> {
    if object.get("result").is_none() {
        return Some(String::new());
    }
    let text = object.optional_text(problems, "result", 200)?;
    let plain = text.strip_prefix("$.").or_else(|| text.strip_prefix('$')).unwrap_or(text);
    match place::steps(plain) {
        Ok(_) => Some(plain.to_owned()),
        Err(why) => {
            problems.add(object.at("result"), format!("{} is not a place in JSON: {why}", shown(text)), "Write it like current.temperature or items[0].name");
            None
        }
    }
}

fn read_timeout(problems: &mut Problems, object: &Object<'_>) -> Option<u32> {
    let value = object.get("timeout")?;
    let number = value.as_f64().filter(|number| number.fract() == 0.0 && (100.0..=120_000.0).contains(number));
    if number.is_none() {
        let what = if value.is_number() { "is out of range".to_owned() } else { format!("is {} and must be a number", kind(value)) };
        problems.add(object.at("timeout"), what, "Write whole milliseconds from 100 to 120000");
    }
    number.map(|number| number as u32)
}

fn check_url(problems: &mut Problems, path: &str, url: &str, scope: &Scope<'_>) -> bool {
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
        Some(("has a placeholder in its host", "The host must be fixed; placeholders may stand in path and query"))
    } else if !local && !is_host(host) {
        Some(("has no valid host", fix))
    } else if port.is_some_and(|port| port.parse::<u16>().map_or(true, |port| port == 0)) {
        Some(("has no valid port", fix))
    } else if !(scheme == "https" || (scheme == "http" && local)) {
        Some(("is not https", "Write https://; http is only for localhost and 127.0.0.1"))
    } else if tail.contains('#') {
        Some(("has a fragment, which is never sent", "Remove the part after #"))
    } else if tail.chars().any(|c| c.is_whitespace() || "\\<>\"^`|".contains(c)) || !tail.is_ascii() {
        Some(("holds characters that must be percent-encoded", "Encode them, such as %20 for a space"))
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
                    problems.add(path, format!("needs {{{name}}}, which is optional and has no default"), "Make it required, give it a default, or move it to query");
                }
            }
            Placeholder::Variable(name) => {
                if scope.variables.iter().any(|variable| variable.name == **name && !variable.required) {
                    problems.add(path, format!("needs ${{{name}}}, which is optional"), "Make the variable required, or move it to query or headers");
                }
            }
        }
    }
    check_names(problems, path, found, scope);
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

fn check_header(problems: &mut Problems, path: &str, name: &str, value: &str) {
    let token = !name.is_empty()
        && name.len() <= 100
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    if !token {
        problems.add(path, format!("{} is not a name of a header", shown(name)), "Write it like X-Api-Key");
    } else if FORBIDDEN.contains(&name.to_ascii_lowercase().as_str()) {
        problems.add(path, format!("\"{name}\" belongs to the connection"), "Remove it");
    }
    if value.contains(['\n', '\t']) || !value.is_ascii() {
        problems.add(path, "has a value with line feeds, tabs or letters outside of ASCII", "Write it on one line in ASCII");
    }
}

/// Every name must be declared.
fn check_names(problems: &mut Problems, path: &str, found: Vec<Placeholder<'_>>, scope: &Scope<'_>) {
    let mut found = found;
    found.sort_unstable();
    found.dedup();
    for placeholder in found {
        match placeholder {
            Placeholder::Parameter(name) if !scope.parameters.contains_key(name) => {
                let known: Vec<&str> = scope.parameters.keys().map(String::as_str).collect();
                let fix = super::name::closest(name, &known).map_or_else(
                    || "Declare it in the action's parameters (a provider has none); for braces as text write { name }".to_owned(),
                    |meant| format!("Did you mean {{{meant}}}?"),
                );
                problems.add(path, format!("names {}, which is not a declared parameter", shown(&format!("{{{name}}}"))), fix);
            }
            Placeholder::Variable(name) if !scope.named.contains(name) => {
                problems.add(path, format!("names {}, which is not in environmentVariables", shown(&format!("${{{name}}}"))), "Declare it there with name and description");
            }
            Placeholder::Parameter(_) | Placeholder::Variable(_) => {}
        }
    }
}

impl Http {
    /// The environment variables that the request names, sorted.
    pub fn variables(&self) -> Vec<String> {
        let mut names = BTreeSet::new();
        let texts = std::iter::once(&self.url).chain(self.query.values()).chain(self.headers.values());
        let body = self.body.as_ref().map(|body| placeholders_in_json(body)).unwrap_or_default();
        for placeholder in texts.flat_map(|text| placeholders(text)).chain(body) {
            if let Placeholder::Variable(name) = placeholder {
                names.insert(name.to_owned());
            }
        }
        names.into_iter().collect()
    }
}

impl Method {
    /// As it stands in a request.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}
