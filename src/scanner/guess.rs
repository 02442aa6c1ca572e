//! What a name and its value give away.

use super::assignment::Assignment;
use super::candidate::Candidate;
use super::engine::Scanner;
use super::generic::SHORTEST_UNNAMED;
use super::joint::goes_on;
use super::markup::named_beside;
use super::names::known;
use super::naming::Naming;
use super::place::Place;

/// No shorter name says that its value is a secret.
const SHORTEST_NAME: usize = 3;

/// Without a sign between them, a name must say that its value is a secret.
pub fn named(scanner: &Scanner) -> impl Fn(&[u8]) -> bool + '_ {
    |name| {
        name.len() >= SHORTEST_NAME && {
            let naming = known(name);
            naming != Naming::Neutral && scanner.generic.wants_kind(naming)
        }
    }
}

/// What an assignment gives away, by itself and decoded.
pub fn guess(scanner: &Scanner, text: &[u8], one: &Assignment, place: Place, out: &mut Vec<Candidate>) {
    let neutral = known(&text[one.name.clone()]) == Naming::Neutral;
    // Most values have a name that says nothing, and are short.
    let quiet = neutral && (!one.quoted || one.value.len() < SHORTEST_UNNAMED);
    if !quiet || named_beside(text, &one.name).is_some() {
        out.extend(scanner.generic.judge(text, one, place));
    }
    if !(place.source && neutral) {
        scanner.decoded(text, one, out);
    }
    if one.quoted && (goes_on(&text[one.value.end..]) || goes_on(&text[one.value.start..])) {
        out.extend(scanner.spliced(text, one));
    }
}
