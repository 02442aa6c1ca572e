//! The request of an action or provider.

use std::collections::BTreeSet;

use super::place;
use super::placeholder::{Placeholder, placeholders, placeholders_in_json};
use super::problem::{Problems, shown};
use super::scope::{self, Scope};
use super::shape::{Object, kind, member};
use super::types::{Http, Method};
use super::url;

const KNOWN: &[&str] = &[
    "method", "url", "query", "headers", "body", "result", "phrase", "timeout",
];
const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];
/// Headers that belong to the connection.
const FORBIDDEN: &[&str] = &[
    "host",
    "content-length",
    "connection",
    "transfer-encoding",
    "keep-alive",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "proxy-authorization",
    "proxy-connection",
];

/// What the boot check tells a request's origin by.
const RESERVED: &str = "x-boot-origin";

pub(super) fn read(problems: &mut Problems, owner: &Object<'_>, scope: &Scope<'_>) -> Option<Http> {
    let object = Object::read(problems, &owner.at("http"), owner.get("http")?, KNOWN)?;
    let method = read_method(problems, &object);
    let url = object
        .text(problems, "url", 2000)
        .filter(|url| url::check(problems, &object.at("url"), url, scope));
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
        scope::check(problems, &path, placeholders(value), scope);
    }
    for (name, value) in &headers {
        let path = member(&object.at("headers"), name);
        check_header(problems, &path, name, value);
        scope::check(problems, &path, placeholders(value), scope);
    }
    check_case(problems, &object, &headers);
    let body = object.get("body");
    if let Some(body) = body {
        scope::check(problems, &object.at("body"), placeholders_in_json(body), scope);
        if method == Some(Method::Get) {
            problems.add(
                object.at("body"),
                "stands beside the method GET, which has no body",
                "Write \"method\": \"POST\", or use query",
            );
        }
    }
    for placeholder in placeholders(phrase) {
        match placeholder {
            Placeholder::Parameter("result") => {}
            Placeholder::Parameter(_) => {
                scope::check(problems, &object.at("phrase"), vec![placeholder], scope);
            }
            Placeholder::Variable(name) => {
                problems.add(
                    object.at("phrase"),
                    format!("would say the setting {name} in the chat"),
                    "Remove it",
                );
            }
        }
    }
    let copied = |entries: Vec<(&String, &str)>| entries.into_iter().map(|(k, v)| (k.clone(), v.to_owned())).collect();
    Some(Http {
        method: method?,
        url: url?.to_owned(),
        query: copied(query),
        headers: copied(headers),
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
            problems.add(
                object.at("method"),
                format!("{} is not a method", shown(text)),
                format!("Write one of {}", METHODS.join(", ")),
            );
            None
        }
    }
}

fn read_result(problems: &mut Problems, object: &Object<'_>) -> Option<String> {
    if object.get("result").is_none() {
        return Some(String::new());
    }
    let text = object.optional_text(problems, "result", 200)?;
    let plain = text
        .strip_prefix("$.")
        .or_else(|| text.strip_prefix('$'))
        .unwrap_or(text);
    match place::steps(plain) {
        Ok(_) => Some(plain.to_owned()),
        Err(why) => {
            problems.add(
                object.at("result"),
                format!("{} is not a place in JSON: {why}", shown(text)),
                "Write it like current.temperature or items[0].name",
            );
            None
        }
    }
}

fn read_timeout(problems: &mut Problems, object: &Object<'_>) -> Option<u32> {
    let value = object.get("timeout")?;
    let number = value
        .as_f64()
        .filter(|number| number.fract() == 0.0 && (100.0..=120_000.0).contains(number));
    if number.is_none() {
        let what = if value.is_number() {
            "is out of range".to_owned()
        } else {
            format!("is {} and must be a number", kind(value))
        };
        problems.add(
            object.at("timeout"),
            what,
            "Write whole milliseconds from 100 to 120000",
        );
    }
    number.map(|number| number as u32)
}

fn check_header(problems: &mut Problems, path: &str, name: &str, value: &str) {
    let token = !name.is_empty()
        && name.len() <= 100
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    if !token {
        problems.add(
            path,
            format!("{} is not a name of a header", shown(name)),
            "Write it like X-Api-Key",
        );
    } else if FORBIDDEN.contains(&name.to_ascii_lowercase().as_str()) {
        problems.add(path, format!("\"{name}\" belongs to the connection"), "Remove it");
    } else if name.eq_ignore_ascii_case(RESERVED) {
        problems.add(
            path,
            format!("\"{name}\" belongs to the boot check"),
            "Name it something else",
        );
    }
    if value.contains(['\n', '\t']) || !value.is_ascii() {
        problems.add(
            path,
            "has a value with line feeds, tabs or letters outside of ASCII",
            "Write it on one line in ASCII",
        );
    }
}

/// Names of headers differ in more than case.
fn check_case(problems: &mut Problems, object: &Object<'_>, headers: &[(&String, &str)]) {
    let mut seen = BTreeSet::new();
    for (name, _) in headers {
        if !seen.insert(name.to_ascii_lowercase()) {
            let what = format!("holds {} twice in different case", shown(name));
            problems.add(object.at("headers"), what, "Remove one of them");
        }
    }
}
