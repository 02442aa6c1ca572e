//! The first bytes that a pattern allows, place by place: a check that costs a nanosecond and ends
//! nearly every near-match before the pattern itself runs.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::pieces::goes_on;

/// Places that are looked at.
const LONGEST: usize = 24;

/// A set of bytes.
pub type Set = [u64; 4];

/// For each of the first places, the bytes that may stand there.
#[derive(Debug, Default)]
pub struct Head(Vec<Set>);

/// How many bytes a pattern takes at most; nothing where there is no limit.
pub fn longest(pattern: &str) -> Option<usize> {
    let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
    parser.parse(pattern).ok()?.properties().maximum_len()
}

impl Head {
    /// What a pattern that is anchored at its start says; nothing where it says too little.
    pub fn of(pattern: &str) -> Self {
        let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        let mut head = Self::default();
        if let Ok(hir) = parser.parse(pattern) {
            head.walk(&hir);
        }
        head
    }

    /// Whether `text` starts as the pattern asks, up to where a token may go on behind an escape.
    pub fn fits(&self, text: &[u8]) -> bool {
        text.len() >= self.0.len()
            && self
                .0
                .iter()
                .zip(text)
                .position(|(set, byte)| !holds(set, *byte))
                .is_none_or(|place| goes_on(&text[place..]))
    }

    /// Adds what `hir` says; answers whether the place after it is still known.
    fn walk(&mut self, hir: &Hir) -> bool {
        if self.0.len() >= LONGEST {
            return false;
        }
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => true,
            HirKind::Literal(literal) => {
                self.0.extend(literal.0.iter().map(|byte| set_of(*byte, *byte)));
                true
            }
            HirKind::Class(Class::Bytes(class)) => {
                let mut set = Set::default();
                for range in class.iter() {
                    join(&mut set, &set_of(range.start(), range.end()));
                }
                self.0.push(set);
                true
            }
            HirKind::Class(Class::Unicode(_)) => false,
            HirKind::Repetition(repetition) => {
                (0..repetition.min).all(|_| self.walk(&repetition.sub)) && repetition.max == Some(repetition.min)
            }
            HirKind::Capture(capture) => self.walk(&capture.sub),
            HirKind::Concat(parts) => parts.iter().all(|part| self.walk(part)),
            HirKind::Alternation(parts) => self.either(parts),
        }
    }

    /// As far as every alternative goes, its places may have what any of them has.
    fn either(&mut self, parts: &[Hir]) -> bool {
        let heads: Vec<(Self, bool)> = parts
            .iter()
            .map(|part| {
                let mut head = Self::default();
                let known = head.walk(part);
                (head, known)
            })
            .collect();
        let shortest = heads.iter().map(|(head, _)| head.0.len()).min().unwrap_or(0);
        for place in 0..shortest {
            let mut set = Set::default();
            for (head, _) in &heads {
                join(&mut set, &head.0[place]);
            }
            self.0.push(set);
        }
        heads.iter().all(|(head, known)| *known && head.0.len() == shortest)
    }
}

pub const fn holds(set: &Set, byte: u8) -> bool {
    set[(byte >> 6) as usize] >> (byte & 63) & 1 == 1
}

pub fn set_of(first: u8, last: u8) -> Set {
    let mut set = Set::default();
    for byte in first..=last {
        set[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }
    set
}

pub fn join(set: &mut Set, other: &Set) {
    for (mine, theirs) in set.iter_mut().zip(other) {
        *mine |= theirs;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_refuses_only_what_the_pattern_refuses() {
        for (pattern, good, bad) in [
            ("pat[A-Za-z0-9]{4}\\.", "patAb3d.x", "path = "),
            ("(?:ab|cd)[0-9]{2,}", "cd12", "ad1x"),
            ("(?:ab|c)d", "cd", "xd"),
            ("sk-(?<secret>[a-z]{2})", "sk-ab", "sk-1b"),
            ("a?b", "ab", ""),
            ("ab[a-z/]{6}", "abc%2Fdefg", "abc%20defg"),
            ("ab[a-z]{6}", "abc\" +\n  \"defg", "abc\", \"defg"),
        ] {
            let head = Head::of(pattern);
            assert!(head.fits(good.as_bytes()), "{pattern}");
            assert!(pattern == "a?b" || !head.fits(bad.as_bytes()), "{pattern}");
        }
    }
}
