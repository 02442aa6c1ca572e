//! Goes over the signs, quotes and dashes of a block that may stand between a name and its value.

use super::assignment;
use super::bare;
use super::boundary;
use super::brief::is_brief;
use super::broken;
use super::engine::Scanner;
use super::fallback;
use super::list;
use super::names::known;
use super::naming::Naming;
use super::pair;
use super::search::Search;
use super::sweep::{Kinds, each_bit};

/// No shorter name says that its value is a secret.
const SHORTEST_NAME: usize = 3;

impl Search<'_> {
    /// Values with names.
    #[expect(clippy::inline_always, reason = "it runs for every 64 bytes, inside of vector code")]
    #[inline(always)]
    pub(super) fn named(&mut self, at: usize, kinds: &Kinds) {
        // What follows is known up to the end of the block; after it anything may stand.
        let next = |mask: u64| mask >> 1 | 1 << 63;
        let second = |mask: u64| mask >> 2 | 3 << 62;
        let third = |mask: u64| mask >> 3 | 7 << 61;
        let opening = kinds.quote | kinds.lead & next(kinds.quote);
        let valued = if self.place.source {
            // What is quoted counts whatever its name: a quote follows, or a blank and one more byte that may lead to one.
            next(opening) | next(kinds.blank) & second(opening | kinds.blank)
        } else {
            u64::MAX
        };
        let tag = kinds.close & (kinds.token << 1 | self.token_before);
        // The sign that ends a longer one stands for all of it, and behind `==` is no value.
        let sign = kinds.sign & !((kinds.sign >> 1 | kinds.equal << 1) & !kinds.close);
        let signs = sign & valued | tag;
        let bare = sign & !signs & bare::values(kinds);
        each_bit(signs, |bit| {
            if !is_brief(self.text, at + bit, bit, kinds) {
                self.sign(at + bit);
            }
        });
        each_bit(bare, |bit| self.bare(at + bit));
        let pairs = kinds.quote & next(kinds.comma);
        each_bit(pairs & second(kinds.blank) & third(kinds.quote), |bit| {
            self.joint(at + bit);
        });
        // Lists of words are written without a blank too.
        each_bit(pairs & second(kinds.quote), |bit| {
            if fallback::may_name(&self.text[..at + bit]) {
                self.joint(at + bit);
            }
        });
        each_bit(kinds.quote & next(kinds.quote), |bit| {
            if list::may_join(self.text, at + bit) {
                self.list(at + bit);
            }
        });
        each_bit(kinds.quote & next(kinds.escape), |bit| {
            if broken::starts_escaped(self.text, at + bit) {
                self.literal(at + bit + 1);
            }
        });
        let dashes = kinds.dash & next(kinds.dash) & !(kinds.token << 1 | self.token_before);
        each_bit(dashes, |bit| self.sign_pair(at + bit));
        let offers = fallback::places(kinds, &mut self.offers_before);
        each_bit(offers, |bit| {
            if fallback::may_stand(self.text, at + bit) {
                self.offer(at + bit);
            }
        });
        self.token_before = kinds.token >> 63;
    }

    #[inline(never)]
    fn sign(&mut self, at: usize) {
        if !at
            .checked_sub(1)
            .is_some_and(|before| boundary::may_precede(self.text[before]))
        {
            return;
        }
        let generic = &self.scanner.generic;
        let wanted = |name: &[u8]| generic.wants_kind(known(name));
        assignment::at(self.text, at, &mut self.ends, &wanted, &mut |one| {
            self.scanner.guess(self.text, one, self.place, &mut self.out);
        });
    }

    /// In a source file a value without quotes counts only where its name says that it is a secret.
    #[inline(never)]
    fn bare(&mut self, at: usize) {
        let (scanner, text, place) = (self.scanner, self.text, self.place);
        if !bare::is_value(text, at) {
            return;
        }
        assignment::at(text, at, &mut self.ends, &named(scanner), &mut |one| {
            scanner.guess(text, one, place, &mut self.out);
        });
    }

    #[inline(never)]
    fn offer(&mut self, quote: usize) {
        let (scanner, text, place) = (self.scanner, self.text, self.place);
        fallback::at(text, quote, &named(scanner), &mut |one| {
            scanner.guess(text, one, place, &mut self.out);
        });
    }

    #[inline(never)]
    fn joint(&mut self, at: usize) {
        let (scanner, text, place) = (self.scanner, self.text, self.place);
        pair::at_joint(text, at, &named(scanner), &mut |one| {
            self.out.extend(scanner.generic.judge(text, one, place));
        });
    }

    #[inline(never)]
    pub(super) fn sign_pair(&mut self, at: usize) {
        let (scanner, text, place) = (self.scanner, self.text, self.place);
        if place.lock {
            return;
        }
        pair::at_sign(text, at, &named(scanner), &mut |one| {
            self.out.extend(scanner.generic.judge(text, one, place));
        });
    }

    /// The literals of a list that the empty one at `at` joins.
    #[inline(never)]
    fn list(&mut self, at: usize) {
        if let Some(open) = list::start(self.text, at).filter(|open| *open >= self.listed) {
            self.listed = self.scanner.listed(self.text, open.min(at), open, &mut self.out);
        }
    }
}

/// Without a sign between them, a name must say that its value is a secret.
fn named(scanner: &Scanner) -> impl Fn(&[u8]) -> bool + '_ {
    |name| {
        name.len() >= SHORTEST_NAME && {
            let naming = known(name);
            naming != Naming::Neutral && scanner.generic.wants_kind(naming)
        }
    }
}
