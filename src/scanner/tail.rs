//! What a pattern asks of the bytes behind a rule's literal: most ask for a run of one class, which is counted
//! without the pattern and once for all near-matches in it.

use memchr::memmem::Finder;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::head::{Set, holds, join, set_of};
use super::reach::Reach;

/// A run of one class, and what follows it.
#[derive(Debug)]
pub struct Tail {
    class: Set,
    min: usize,
    max: usize,
    after: After,
    escapes: bool,
}

#[derive(Debug)]
enum After {
    /// The run is all there is.
    Nothing,
    /// One of these bytes, of which none may be in the run.
    One(Set),
    /// Bytes that may all be in the run.
    Mark(Box<Finder<'static>>),
    /// Something that needs the pattern.
    Unknown,
}

/// What a run says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The pattern matches up to here.
    Ends(usize),
    /// It does not match, but may where the text goes on behind a joint at this place.
    Short(usize),
    /// It does not match.
    No,
    /// The pattern must be tried.
    Perhaps,
}

impl Tail {
    /// What stands behind any of the literals in a pattern; nothing where that is no run.
    pub fn of(pattern: &str, literals: &[Vec<u8>]) -> Option<Self> {
        let rest = behind(pattern, literals)?;
        let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        let hir = parser.parse(rest).ok()?;
        let (first, rest) = match hir.kind() {
            HirKind::Concat(parts) => parts.split_first()?,
            _ => (&hir, [].as_slice()),
        };
        let HirKind::Repetition(run) = first.kind() else {
            return None;
        };
        // The run may also have escapes such as `%2B`, which start with a byte that is not in the class.
        let mut escapes = Set::default();
        let one = match run.sub.kind() {
            HirKind::Alternation(parts) => {
                let (classes, others): (Vec<&Hir>, Vec<&Hir>) = parts.iter().partition(|part| is_class(part));
                if others.iter().any(|part| starts(part, &mut escapes)) {
                    return None;
                }
                <[&Hir; 1]>::try_from(classes).ok()?[0]
            }
            _ => &*run.sub,
        };
        if !is_class(one) {
            return None;
        }
        let mut class = Set::default();
        starts(one, &mut class);
        if meet(&class, &escapes) {
            return None;
        }
        // Joints and escapes are told by what stops the run.
        if b"\"'%".iter().any(|byte| holds(&class, *byte)) {
            return None;
        }
        let after = match (first_of(rest), rest.first().map(Hir::kind)) {
            _ if rest.is_empty() => After::Nothing,
            (_, Some(HirKind::Literal(mark))) if mark.0.iter().all(|byte| holds(&class, *byte)) => {
                After::Mark(Box::new(Finder::new(&mark.0).into_owned()))
            }
            (After::One(set), _) if meet(&set, &class) => After::Unknown,
            (after, _) => after,
        };
        Some(Self {
            class,
            min: run.min as usize,
            max: run.max.map_or(usize::MAX, |max| max as usize),
            after,
            escapes: escapes != Set::default(),
        })
    }

    /// Whether a text may match that is a run and nothing else.
    pub const fn allows(&self, length: usize) -> bool {
        self.escapes || !matches!(self.after, After::Nothing) || self.min <= length && length <= self.max
    }

    /// What the run says that starts at `at`, of which the pattern sees nothing from `limit` on.
    pub fn judge(&self, text: &[u8], at: usize, limit: usize, reach: &mut Reach) -> Verdict {
        let end = reach.end(text, at, limit, |byte| !holds(&self.class, byte));
        let length = end - at;
        if self.escapes && length <= self.max {
            return Verdict::Perhaps;
        }
        if length < self.min {
            return Verdict::Short(end);
        }
        match &self.after {
            After::Nothing => Verdict::Ends(at + length.min(self.max)),
            After::One(_) if length > self.max => Verdict::No,
            After::One(set) if end < limit && holds(set, text[end]) => Verdict::Perhaps,
            After::One(_) => Verdict::Short(end),
            After::Mark(mark) => {
                let last = (at + mark.needle().len()).saturating_add(self.max);
                let stop = last.min(end);
                if mark.find(&text[at + self.min..stop]).is_some() {
                    Verdict::Perhaps
                } else if last <= end {
                    Verdict::No
                } else {
                    Verdict::Short(end)
                }
            }
            After::Unknown => Verdict::Perhaps,
        }
    }
}

/// The pattern behind its literals: behind the only one, or behind a group of all of them.
fn behind<'a>(pattern: &'a str, literals: &[Vec<u8>]) -> Option<&'a str> {
    match (pattern.strip_prefix("(?:"), literals) {
        (Some(group), _) => {
            let (alternatives, rest) = group.split_once(')')?;
            let mut known = alternatives.split('|').map(|text| text.replace('\\', "").into_bytes());
            known.all(|text| literals.contains(&text)).then_some(rest)
        }
        (None, [literal]) => {
            let mut rest = pattern;
            for byte in literal {
                rest = rest.strip_prefix('\\').unwrap_or(rest);
                rest = rest.strip_prefix(char::from(*byte))?;
            }
            Some(rest)
        }
        _ => None,
    }
}

fn is_class(hir: &Hir) -> bool {
    matches!(hir.kind(), HirKind::Class(Class::Bytes(_)))
}

fn meet(one: &Set, other: &Set) -> bool {
    one.iter().zip(other).any(|(one, other)| one & other != 0)
}

/// With what the parts start.
fn first_of(parts: &[Hir]) -> After {
    let mut set = Set::default();
    if parts.iter().all(|part| starts(part, &mut set)) {
        After::Unknown
    } else {
        After::One(set)
    }
}

/// Adds the bytes with which `hir` may start; answers whether it may also be empty.
fn starts(hir: &Hir, set: &mut Set) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => match literal.0.first() {
            Some(byte) => {
                join(set, &set_of(*byte, *byte));
                false
            }
            None => true,
        },
        HirKind::Class(Class::Bytes(class)) => {
            for range in class.iter() {
                join(set, &set_of(range.start(), range.end()));
            }
            false
        }
        HirKind::Class(Class::Unicode(_)) => {
            join(set, &set_of(0, u8::MAX));
            false
        }
        HirKind::Repetition(repetition) => starts(&repetition.sub, set) || repetition.min == 0,
        HirKind::Capture(capture) => starts(&capture.sub, set),
        HirKind::Concat(parts) => parts.iter().all(|part| starts(part, set)),
        HirKind::Alternation(parts) => {
            let mut empty = false;
            for part in parts {
                empty |= starts(part, set);
            }
            empty
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::Catalogue;
    use super::*;

    fn tail(pattern: &str, literals: &[&str]) -> Option<Tail> {
        let literals: Vec<Vec<u8>> = literals.iter().map(|literal| literal.as_bytes().to_vec()).collect();
        Tail::of(pattern, &literals)
    }

    #[test]
    fn a_run_tells_where_a_pattern_ends() {
        let judge = |tail: &Tail, text: &str| tail.judge(text.as_bytes(), 0, text.len(), &mut Reach::default());
        let whole = tail(r"ab\.[a-z-]{2,4}", &["ab."]).unwrap();
        assert_eq!(judge(&whole, "a"), Verdict::Short(1));
        assert_eq!(judge(&whole, "a-a1"), Verdict::Ends(3));
        assert_eq!(judge(&whole, "aaaaaa"), Verdict::Ends(4));
        let more = tail(r"(?:ab|c\.)[a-z]{2,4}(?:\.01)?\.[a-z]", &["ab", "c."]).unwrap();
        assert_eq!(judge(&more, "aa.a"), Verdict::Perhaps);
        assert_eq!(judge(&more, "aa-a"), Verdict::Short(2));
        assert_eq!(judge(&more, "aaaaa.a"), Verdict::No);
        let marked = tail("ab[a-z]{2,3}xy[0-9]", &["ab"]).unwrap();
        assert_eq!(judge(&marked, "aaaaaaaaxy1"), Verdict::No);
        assert_eq!(judge(&marked, "aaaxy1"), Verdict::Perhaps);
        assert_eq!(judge(&marked, "aaax"), Verdict::Short(4));
        assert_eq!(judge(&marked, "axyaa"), Verdict::No);
        let escaped = tail("ab(?:[a-z]|%2[Bb]){1,3}", &["ab"]).unwrap();
        assert_eq!(judge(&escaped, "aa%2B"), Verdict::Perhaps);
        assert_eq!(judge(&escaped, "aaaa%2B"), Verdict::Ends(3));
        for (pattern, literals) in [
            ("ab[a-z]{2}", vec!["a"]),
            ("(?:a|b)[a-z]{2}", vec!["a"]),
            ("ab[a-z%]{2}", vec!["ab"]),
        ] {
            assert!(tail(pattern, &literals).is_none(), "{pattern}");
        }
    }

    #[test]
    fn every_rule_says_by_its_run_what_its_pattern_says() {
        let catalogue = Catalogue::built_in().unwrap();
        let mut runs = 0;
        for rule in &catalogue.rules {
            let Some(tail) = rule.tail() else { continue };
            runs += 1;
            let pattern = rule.pattern().unwrap();
            for prefix in &rule.prefix {
                let most = tail.max.min(tail.min + 500);
                for length in [0, tail.min.saturating_sub(1), tail.min, tail.min + 1, most, most + 1] {
                    for last in [
                        b"".as_slice(),
                        b" ",
                        b"-",
                        b".01.a1b2c3d4e",
                        b"=",
                        b"_",
                        b"/x",
                        b"T3BlbkFJ",
                    ] {
                        for filler in [b"aB3dE6gH9".as_slice(), b"4", b"f0", b"A7"] {
                            let body = filler.iter().copied().cycle().take(length);
                            let text: Vec<u8> =
                                prefix.iter().copied().chain(body).chain(last.iter().copied()).collect();
                            let found = pattern.find(&text).map(|found| found.end());
                            match tail.judge(&text, prefix.len(), text.len(), &mut Reach::default()) {
                                Verdict::Ends(end) => assert_eq!(found, Some(end), "{}", rule.info.id),
                                Verdict::Short(_) | Verdict::No => assert_eq!(found, None, "{}", rule.info.id),
                                Verdict::Perhaps => {}
                            }
                        }
                    }
                }
            }
        }
        assert!(runs > 50, "{runs}");
    }
}
