//! Guesses by name and randomness: passwords, keys and other values that have no format of their own.

use std::ops::Range;
use std::sync::Arc;

use super::assignment::Assignment;
use super::boundary;
use super::brief::SHORTEST;
use super::candidate::{Candidate, RANK_GENERIC};
use super::code::{has_brackets, is_access, is_address, is_code, is_identifier, is_reference};
use super::markup::named_beside;
use super::names::known;
use super::naming::{Naming, naming};
use super::place::Place;
use super::placeholder::{is_placeholder, is_placeholder_of};
use super::public::{is_base58_number, is_public};
use super::randomness::{Shape, entropy, looks_random};
use super::rule::RuleInfo;

/// A value that nothing names is looked at from this length on, and only in quotes.
pub const SHORTEST_UNNAMED: usize = 32;

/// The rules that this file reports by; one that is disabled is absent.
#[derive(Debug, Default)]
pub struct Generic {
    pub password: Option<Arc<RuleInfo>>,
    pub secret: Option<Arc<RuleInfo>>,
    pub entropy: Option<Arc<RuleInfo>>,
    /// Bits a character that a random value needs.
    pub floor: f64,
    pub shortest: usize,
}

impl Generic {
    /// Whether a value of this name is worth a look.
    pub fn wants(&self, name: &[u8]) -> bool {
        self.wants_kind(naming(name))
    }

    /// Whether a value of such a name is worth a look.
    pub fn wants_kind(&self, naming: Naming) -> bool {
        match naming {
            Naming::Password => self.password.is_some(),
            Naming::Secret => self.secret.is_some(),
            Naming::Neutral => self.entropy.is_some(),
            Naming::Harmless => false,
        }
    }

    /// What an assignment gives away.
    pub fn judge(&self, text: &[u8], one: &Assignment, place: Place) -> Option<Candidate> {
        let value = trimmed(text, one.value.clone());
        let (name, bytes) = (&text[one.name.clone()], &text[value.clone()]);
        let outer = named_beside(text, &one.name);
        let name = outer.map_or(name, |outer| &text[outer]);
        let naming = known(name);
        if place.lock
            || memchr::memchr_iter(b'\\', bytes)
                .filter(|at| bytes.get(at + 1) == Some(&b'x'))
                .count()
                > 3
            || bytes.len() < SHORTEST
            || !one.shell && is_plain(naming, bytes)
            || (naming == Naming::Neutral && (!one.quoted || bytes.len() < SHORTEST_UNNAMED || !is_mixed(bytes)))
            || bytes.eq_ignore_ascii_case(name)
        {
            return None;
        }
        let shape = Shape::of(bytes);
        if is_placeholder_of(bytes, &shape) {
            return None;
        }
        match naming {
            Naming::Password => {
                let rule = self.password.as_ref()?;
                let confidence = password(name, bytes, &shape, one, place)?;
                Some(Candidate {
                    confidence,
                    ..Candidate::of(rule, value, RANK_GENERIC)
                })
            }
            Naming::Secret => {
                let rule = self.secret.as_ref()?;
                // `API_KEY=…` in a text or a comment; other values without quotes are expressions.
                let capital = bytes.len() >= 20 && is_capital(name);
                if (!one.quoted && (place.source && !capital || !one.leads && bytes.len() < 20))
                    || bytes.iter().any(u8::is_ascii_whitespace)
                    || is_address(bytes)
                    || is_code(bytes)
                    || is_reference(bytes)
                    || is_public(bytes)
                    || boundary::left_of(text, one.name.start, 12)
                        .windows(4)
                        .any(|four| four == b"arn:")
                {
                    return None;
                }
                let hex = bytes.iter().all(u8::is_ascii_hexdigit);
                let random = bytes.len() >= self.shortest.min(16)
                    && looks_random(bytes, &shape, self.floor)
                    && !is_identifier(bytes);
                // A hash is as random as a key: only a name that leaves no doubt counts.
                let sure = if hex { 0.5 } else { 0.7 };
                random.then(|| Candidate {
                    confidence: sure,
                    ..Candidate::of(rule, value, RANK_GENERIC)
                })
            }
            Naming::Neutral => {
                let rule = self.entropy.as_ref()?;
                (one.quoted
                    && self.is_surely_random(bytes, &shape)
                    && !is_public(bytes)
                    && !is_base58_number(bytes)
                    && !is_address(bytes))
                .then(|| Candidate::of(rule, value, RANK_GENERIC))
            }
            Naming::Harmless => None,
        }
    }

    /// What a variable gives away: a password of it may have blanks, since it is no sentence.
    pub fn judge_variable(&self, text: &[u8], one: &Assignment) -> Option<Candidate> {
        let (name, value) = (&text[one.name.clone()], trimmed(text, one.value.clone()));
        let bytes = &text[value.clone()];
        if naming(name) == Naming::Password
            && bytes.len() >= 6
            && !is_placeholder(bytes)
            && !is_reference(bytes)
            && !bytes.contains(&b'\n')
        {
            let rule = self.password.as_ref()?;
            return Some(Candidate {
                confidence: 0.8,
                ..Candidate::of(rule, value, RANK_GENERIC)
            });
        }
        self.judge(text, one, Place::of(None))
    }

    /// A string that nothing names must speak for itself: long, mixed, of one piece and no hash.
    fn is_surely_random(&self, value: &[u8], shape: &Shape) -> bool {
        // `placeId=…` and `places/…` name what follows.
        let word = value.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        if word >= 5 && matches!(value.get(word), Some(b'=' | b'/')) {
            return false;
        }
        if !is_mixed(value) || !(self.shortest.max(32)..=128).contains(&value.len()) {
            return false;
        }
        shape.other * 8 <= value.len()
            && shape.longest_word <= 7
            && shape.changes * 3 >= value.len()
            && entropy(value) >= self.floor.max(4.3)
            && looks_random(value, shape, self.floor)
            && !is_identifier(value)
    }
}

/// Whether a value has not what every password, or every key, of a name has: cheap to tell, and true of most.
/// camelCase, `snake_case` and kebab-case words are names of things, not passwords.
fn is_plain(naming: Naming, value: &[u8]) -> bool {
    match naming {
        Naming::Password => value
            .iter()
            .all(|byte| byte.is_ascii_alphabetic() || WORDY.contains(byte)),
        Naming::Secret => !value.iter().any(u8::is_ascii_digit),
        Naming::Neutral | Naming::Harmless => false,
    }
}

/// What stands between the words of names, which are no passwords.
const WORDY: &[u8] = b"_-.:/ #";

/// Whether a value is of one piece, and has letters of both cases and digits: a few each, which hashes and words have
/// not.
fn is_mixed(value: &[u8]) -> bool {
    let count = |kind: fn(&u8) -> bool| value.iter().filter(|byte| kind(byte)).count();
    count(u8::is_ascii_uppercase) >= 4
        && count(u8::is_ascii_lowercase) >= 4
        && count(u8::is_ascii_digit) >= 4
        && value
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-'))
}

/// How sure a password is one; nothing where it is a word, a sentence or code.
fn password(name: &[u8], value: &[u8], shape: &Shape, one: &Assignment, place: Place) -> Option<f64> {
    let blanks = value.iter().filter(|byte| byte.is_ascii_whitespace()).count();
    if blanks > 0 || value.len() > 128 || is_reference(value) {
        return None;
    }
    // In a connection string the signs around it tell what it is.
    let inside = matches!(one.joint, Some(b';' | b'&' | b'?'));
    let letters = shape.lower + shape.upper;
    let kinds = [shape.lower, shape.upper, shape.digits, shape.other]
        .iter()
        .filter(|count| **count > 0)
        .count();
    if !one.quoted {
        // `password: string`, `password = getPassword()`, `password=value` in a sentence.
        if has_brackets(value) || is_access(value) && !(inside && shape.digits > 0) {
            return None;
        }
        if one.shell {
            // Only shells and their likes know the name, so any word is meant.
            return (value.len() >= 6).then_some(0.6);
        }
        if inside {
            return (kinds >= 2 && shape.digits > 0).then_some(0.7);
        }
        let capital = kinds >= 3 && is_capital(name);
        if place.source && !capital || !one.leads && kinds < 3 || kinds < 2 {
            return None;
        }
    }
    // `check('password', 'salt1234')`: which of two arguments is what is not said.
    if one.quoted && !one.leads && place.source && one.joint == Some(b',') && kinds < 3 {
        return None;
    }
    // A number.
    if value.starts_with(b"0x") && value[2..].iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    if kinds < 2 || letters == 0 && shape.digits < 8 {
        return None;
    }
    if shape.other > letters + shape.digits {
        return None;
    }
    Some(if kinds >= 3 && value.len() >= 8 { 0.8 } else { 0.6 })
}

/// `API_KEY`, as variables of an environment are written.
fn is_capital(name: &[u8]) -> bool {
    name.iter()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
}

/// Without blanks and trailing punctuation that belongs to the sentence.
fn trimmed(text: &[u8], value: Range<usize>) -> Range<usize> {
    let bytes = &text[value.clone()];
    let lead = bytes.len() - bytes.trim_ascii_start().len();
    let trail = bytes.len() - bytes.trim_ascii_end().len();
    if lead + trail >= bytes.len() {
        value.start..value.start
    } else {
        value.start + lead..value.end - trail
    }
}
