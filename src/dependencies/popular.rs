//! Names that many use: they are never taken for look-alikes, and look-alikes are measured by them.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::lookalike::skeleton;

/// How many of the most used names are worth posing as.
const TARGETS: usize = 3_000;
/// Letters of a name of which a single change is told; shorter ones lie too close to each other.
const MIN_LENGTH: usize = 5;
/// Letters of a word in which a replaced letter is told.
const MIN_REPLACED: usize = 6;
/// Popular packages that make a scope one that is known.
const KNOWN_SCOPE: usize = 3;

/// Scopes and names that matter here and are not used by enough for the list.
const OURS: [&str; 6] = [
    "@elizaos/core",
    "@elizaos/cli",
    "@elizaos/plugin-bootstrap",
    "@elizaos/plugin-sql",
    "@elizaos/plugin-openai",
    "@elizaos/plugin-anthropic",
];

/// The names, and what finds those close to one.
pub(super) struct Popular {
    pub names: HashSet<&'static str>,
    /// Scopes of several popular packages.
    pub scopes: HashSet<&'static str>,
    /// The most used name of each skeleton.
    skeletons: HashMap<String, &'static str>,
    /// The most used names and what is left of each without one letter, by hash.
    close: Vec<(u32, u16)>,
    targets: Vec<&'static str>,
}

static POPULAR: LazyLock<Popular> = LazyLock::new(|| Popular::of(include_str!("data/popular.txt")));

impl Popular {
    /// The list that ships.
    pub fn shipped() -> &'static Self {
        &POPULAR
    }

    fn of(text: &'static str) -> Self {
        let listed = || text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let names: HashSet<&'static str> = listed().chain(OURS).collect();
        let targets: Vec<&'static str> = OURS.into_iter().chain(listed().take(TARGETS)).collect();
        let mut skeletons = HashMap::new();
        for name in &targets {
            skeletons.entry(skeleton(name)).or_insert(*name);
        }
        let mut counts: HashMap<&'static str, usize> = HashMap::new();
        for name in listed().chain(OURS) {
            if let Some((scope, _)) = name.split_once('/') {
                *counts.entry(scope).or_default() += 1;
            }
        }
        let mut close = Vec::with_capacity(targets.len() * 16);
        for (index, name) in targets.iter().enumerate() {
            if name.len() >= MIN_LENGTH {
                close.extend(variants(name.as_bytes()).map(|hash| (hash, index as u16)));
            }
        }
        close.sort_unstable();
        Self {
            names,
            scopes: counts
                .into_iter()
                .filter(|(_, count)| *count >= KNOWN_SCOPE)
                .map(|(scope, _)| scope)
                .collect(),
            skeletons,
            close,
            targets,
        }
    }

    /// The most used name with the same skeleton.
    pub fn with_skeleton(&self, skeleton: &str) -> Option<&'static str> {
        self.skeletons.get(skeleton).copied()
    }

    /// The name, where it is among the most used ones.
    pub fn much_used(&self, name: &str) -> Option<&'static str> {
        let known = self.skeletons.get(&skeleton(name)).copied()?;
        (known == name && name.len() >= 4).then_some(known)
    }

    /// The most used name that is one change away: a letter more, less or other, or two exchanged.
    pub fn one_change_from(&self, name: &str) -> Option<&'static str> {
        if name.len() < MIN_LENGTH {
            return None;
        }
        let mut best: Option<u16> = None;
        for hash in variants(name.as_bytes()) {
            let from = self.close.partition_point(|(known, _)| *known < hash);
            for (_, index) in self.close[from..].iter().take_while(|(known, _)| *known == hash) {
                let target = self.targets[usize::from(*index)].as_bytes();
                let is_better = best.is_none_or(|best| *index < best);
                if is_better
                    && change_at(name.as_bytes(), target).is_some_and(|at| is_telling(name.as_bytes(), target, at))
                {
                    best = Some(*index);
                }
            }
        }
        best.map(|index| self.targets[usize::from(index)])
    }
}

/// Hashes of a name and of what is left of it without one letter: two names one change apart share one of them
/// (Garbe, "Symmetric Delete", <https://github.com/wolfgarbe/SymSpell>).
fn variants(name: &[u8]) -> impl Iterator<Item = u32> {
    const BASE: u32 = 16_777_619;
    // The hash is a polynomial, so a letter is taken out without reading the others again.
    let mut suffixes = vec![(0_u32, 1_u32); name.len() + 1];
    for at in (0..name.len()).rev() {
        let (hash, power) = suffixes[at + 1];
        let own = (u32::from(name[at]) + 1).wrapping_mul(power);
        suffixes[at] = (hash.wrapping_add(own), power.wrapping_mul(BASE));
    }
    let whole = suffixes[0].0;
    let mut prefix = 0_u32;
    let without: Vec<u32> = (0..name.len())
        .map(|at| {
            let (rest, power) = suffixes[at + 1];
            let hash = prefix.wrapping_mul(power).wrapping_add(rest);
            prefix = prefix.wrapping_mul(BASE).wrapping_add(u32::from(name[at]) + 1);
            hash
        })
        .collect();
    without.into_iter().chain([whole])
}

/// Where exactly one insertion, removal, replacement or exchange of neighbours lies between two names.
pub(super) fn change_at(one: &[u8], other: &[u8]) -> Option<usize> {
    let (short, long) = if one.len() <= other.len() {
        (one, other)
    } else {
        (other, one)
    };
    let same = short.iter().zip(long).take_while(|(left, right)| left == right).count();
    let (short, long) = (&short[same..], &long[same..]);
    let one_change = match long.len() - short.len() {
        0 => match (short, long) {
            ([a, b, left @ ..], [c, d, right @ ..]) if a == d && b == c && left == right => true,
            ([_, left @ ..], [_, right @ ..]) => left == right,
            _ => false,
        },
        1 => *short == long[1..],
        _ => false,
    };
    one_change.then_some(same)
}

/// Whether a change makes one word be taken for another: it lies in a long word and is not a number at its end. Short
/// words differ by a letter and mean something else, as `is-` and `it-` do.
fn is_telling(name: &[u8], target: &[u8], at: usize) -> bool {
    let is_separator = |byte: &u8| b"-_./@".contains(byte);
    let at = at.min(target.len().saturating_sub(1));
    let from = target[..at]
        .iter()
        .rposition(is_separator)
        .map_or(0, |before| before + 1);
    let to = target[at..]
        .iter()
        .position(is_separator)
        .map_or(target.len(), |after| at + after);
    let is_replaced = name.len() == target.len();
    let least = if is_replaced { MIN_REPLACED } else { MIN_LENGTH };
    let numbered = |longer: &[u8], shorter: &[u8]| {
        longer.len() > shorter.len() && longer.last().is_some_and(u8::is_ascii_digit) && longer.starts_with(shorter)
    };
    to.saturating_sub(from) >= least && !numbered(name, target) && !numbered(target, name)
}

/// Whether two neighbours were exchanged, or a letter stands twice in one and once in the other.
pub(super) fn is_slip(one: &[u8], other: &[u8]) -> bool {
    let Some(at) = change_at(one, other) else { return false };
    if one.len() == other.len() {
        return one.get(at) == other.get(at + 1) && one.get(at + 1) == other.get(at);
    }
    let longer = if one.len() > other.len() { one } else { other };
    at > 0 && longer.get(at) == longer.get(at - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_change_is_told_from_none_and_two() {
        let close = |one: &str, other: &str| change_at(one.as_bytes(), other.as_bytes()).is_some();
        for (one, other) in [
            ("lodash", "lodahs"),
            ("lodash", "lodas"),
            ("lodash", "lodashh"),
            ("lodash", "ladash"),
            ("ab", "ba"),
        ] {
            assert!(close(one, other) && close(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("lodash", "lodash"),
            ("lodash", "loadhs"),
            ("lodash", "lod"),
            ("abcd", "badc"),
        ] {
            assert!(!close(one, other), "{one} {other}");
        }
    }

    #[test]
    fn each_change_of_a_popular_name_is_found() {
        let popular = Popular::shipped();
        let name = "express";
        for at in 0..name.len() {
            let mut letters = name.as_bytes().to_vec();
            letters.remove(at);
            let removed = String::from_utf8(letters.clone()).unwrap();
            letters.insert(at, b'z');
            let replaced = String::from_utf8(letters.clone()).unwrap();
            letters.insert(at, name.as_bytes()[at]);
            let inserted = String::from_utf8(letters).unwrap();
            for wrong in [removed, replaced, inserted] {
                assert!(popular.one_change_from(&wrong).is_some(), "{wrong}");
            }
        }
    }
}
