//! Names that are made to be taken for another.

use unicode_security::confusable_detection::skeleton as unicode_skeleton;

use super::finding::Severity;
use super::popular::{Popular, change_at, is_slip};
use super::shown::plain;

/// What makes a name suspicious.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resemblance {
    pub to: String,
    pub severity: Severity,
    pub how: &'static str,
}

/// Words that are put to a popular name to pose as its better self.
const ENDINGS: [&str; 10] = [
    "-js",
    ".js",
    "js",
    "-node",
    "-nodejs",
    "-npm",
    "-official",
    "-original",
    "-latest",
    "-package",
];
const BEGINNINGS: [&str; 4] = ["node-", "nodejs-", "npm-", "the-"];
/// A scope that belongs to what these plugins are made for.
const OUR_SCOPE: &str = "@elizaos";
/// Scopes that are posed as most.
const POSED_AS: [&str; 2] = [OUR_SCOPE, "@types"];
/// Letters of a known scope of which a single change is told, with its `@`.
const MIN_SCOPE: usize = 6;

/// What a name resembles. A popular name resembles nothing, and neither does one of a scope that is the user's own.
pub(super) fn resemblance(name: &str, own_scopes: &[String]) -> Option<Resemblance> {
    let popular = Popular::shipped();
    if popular.names.contains(name) {
        return None;
    }
    let scope = name
        .split_once('/')
        .map(|(scope, _)| scope)
        .filter(|scope| scope.starts_with('@'));
    if scope.is_some_and(|scope| {
        own_scopes
            .iter()
            .any(|own| own == scope || own.strip_prefix('@') == scope.strip_prefix('@'))
    }) {
        return None;
    }
    if !name.is_ascii() {
        return Some(beyond_ascii(popular, name));
    }
    if let Some(scope) = scope {
        if popular.scopes.contains(scope) || scope == OUR_SCOPE {
            // Whoever owns the scope owns every name in it.
            return None;
        }
        if let Some(found) = scope_resemblance(popular, scope) {
            return Some(found);
        }
    }
    let found = |to: &str, severity, how| {
        Some(Resemblance {
            to: to.to_owned(),
            severity,
            how,
        })
    };
    if let Some(to) = popular.with_skeleton(&skeleton(name)) {
        return found(
            to,
            Severity::High,
            "differs from it only in separators or in letters that look the same",
        );
    }
    if scope.is_some() {
        return None;
    }
    let stripped = ENDINGS.iter().filter_map(|ending| name.strip_suffix(ending));
    let mut stripped = stripped.chain(BEGINNINGS.iter().filter_map(|beginning| name.strip_prefix(beginning)));
    if let Some(to) = stripped.find_map(|base| popular.much_used(base)) {
        return found(to, Severity::Medium, "is its name with a word put to it");
    }
    popular
        .one_change_from(name)
        .and_then(|to| found(to, Severity::Medium, "is one letter away from it"))
}

fn beyond_ascii(popular: &Popular, name: &str) -> Resemblance {
    let read: String = unicode_skeleton(name).collect();
    let as_read = popular.with_skeleton(&skeleton(&read)).map(str::to_owned);
    Resemblance {
        to: as_read.unwrap_or_else(|| plain(&read)),
        severity: Severity::Critical,
        how: "has letters that are no plain ones, which npm allows in no new name",
    }
}

fn scope_resemblance(popular: &Popular, scope: &str) -> Option<Resemblance> {
    let bare = skeleton(scope);
    let ours = &OUR_SCOPE[1..];
    let mut known: Vec<&str> = popular.scopes.iter().copied().chain([OUR_SCOPE]).collect();
    known.sort_unstable();
    let alike = |one: &&str| {
        let (known, given) = (one.as_bytes(), scope.as_bytes());
        // Of the scopes that are posed as most, any letter is told; others lie too close to each other.
        let close = if POSED_AS.contains(one) {
            change_at(known, given).is_some()
        } else {
            is_slip(known, given)
        };
        skeleton(one) == bare || one.len() >= MIN_SCOPE && close
    };
    let poses = || bare.strip_prefix(ours).is_some().then_some(OUR_SCOPE);
    known.into_iter().find(alike).or_else(poses).map(|to| Resemblance {
        to: to.to_owned(),
        severity: Severity::High,
        how: "has a scope that looks like a known one",
    })
}

/// A name without separators, in which letters that look the same are the same.
pub(super) fn skeleton(name: &str) -> String {
    let mut bare = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '@' | '/' | '-' | '_' | '.' => {}
            '0' => bare.push('o'),
            '1' | 'I' | '|' => bare.push('l'),
            other => bare.extend(other.to_lowercase()),
        }
    }
    bare.replace("rn", "m").replace("vv", "w")
}
