//! Goes over a text once and asks everything that may know what stands at a place.

use std::ops::Range;

use super::assignment;
use super::bare;
use super::brief::is_brief;
use super::broken;
use super::candidate::{Candidate, RANK_FORMAT, RANK_STRUCTURE};
use super::catalogue::{LONGEST_CONTEXTUAL, Memo, SHORTEST_RUN};
use super::detectors::{SHORTEST_MNEMONIC, each_mnemonic, keypair_around, other_words};
use super::engine::Scanner;
use super::fallback;
use super::names::known;
use super::naming::Naming;
use super::pair;
use super::place::Place;
use super::reach::Reach;
use super::starts::WordStarts;
use super::sweep::{self, Kinds, Runs, Visit, each_bit};

/// Longer runs are data; a key file in base64 stays below.
const LONGEST_RUN: usize = 16 * 1024;

/// No shorter name says that its value is a secret.
const SHORTEST_NAME: usize = 3;

/// One pass over one text.
pub struct Search<'a> {
    scanner: &'a Scanner,
    text: &'a [u8],
    place: Place,
    out: Vec<Candidate>,
    words: WordStarts,
    tokens: Runs<SHORTEST_RUN>,
    prose: Runs<{ SHORTEST_MNEMONIC as u32 }>,
    /// The last bit of the block before, shifted in at the start of the next one.
    token_before: u64,
    /// Its last two bits of what an offer may start with, in the same way.
    offers_before: u64,
    /// Where values without quotes end.
    ends: Reach,
    memo: Memo,
    /// How far literals in pieces were read.
    whole: usize,
}

impl Visit for Search<'_> {
    #[expect(clippy::inline_always, reason = "it runs for every 64 bytes, inside of vector code")]
    #[inline(always)]
    fn block(&mut self, at: usize, kinds: Kinds) {
        let mut words = std::mem::take(&mut self.words);
        words.block(self.text, at, &kinds, |start| self.word(start));
        self.words = words;
        each_bit(kinds.mark, |bit| self.marked(at + bit));
        let mut tokens = self.tokens;
        tokens.block(at, kinds.token, |start, end| self.token(start..end));
        self.tokens = tokens;
        if self.scanner.mnemonic.is_some() {
            let mut prose = self.prose;
            let others = if prose.reach(kinds.prose) {
                other_words(&kinds)
            } else {
                0
            };
            prose.block(at, kinds.prose & !others, |start, end| self.prose(start..end));
            self.prose = prose;
        }
        // Of the numbers of a key pair and what stands between them, one block at least is full.
        if kinds.capital | kinds.prose & kinds.code == u64::MAX {
            self.numbers(at);
        }
        if !self.place.lock {
            self.names(at, &kinds);
        }
    }
}

impl<'a> Search<'a> {
    /// Everything that is proposed for a text.
    pub fn run(scanner: &'a Scanner, text: &'a [u8], place: Place) -> Vec<Candidate> {
        let mut search = Self {
            scanner,
            text,
            place,
            out: Vec::new(),
            words: WordStarts::default(),
            tokens: Runs::default(),
            prose: Runs::default(),
            token_before: 0,
            offers_before: 0,
            ends: Reach::default(),
            memo: Memo::default(),
            whole: 0,
        };
        scanner
            .catalogue
            .floating(text, &scanner.enabled, &mut search.memo, &mut search.out);
        sweep::each(text, scanner.catalogue.openings(), &mut search);
        let (tokens, prose) = (search.tokens, search.prose);
        tokens.finish(text.len(), |start, end| search.token(start..end));
        prose.finish(text.len(), |start, end| search.prose(start..end));
        if !place.lock {
            scanner.loose(text, place, &mut search.out);
            scanner.escaped(text, place, &mut search.out);
        }
        search.out
    }

    #[inline]
    fn word(&mut self, at: usize) {
        let scanner = self.scanner;
        scanner
            .catalogue
            .word(self.text, at, &scanner.enabled, &mut self.memo, &mut self.out);
        match self.text[at] {
            b'E' | b'A' if self.text.get(at + 3) == Some(&b' ') => self.sign_pair(at),
            b'd' if at > 0 && self.text[at - 1] == b'#' => self.sign_pair(at - 1),
            _ => {}
        }
    }

    #[inline(never)]
    fn marked(&mut self, at: usize) {
        let scanner = self.scanner;
        scanner
            .catalogue
            .marked(self.text, at, &scanner.enabled, &mut self.memo, &mut self.out);
    }

    /// A long run of token characters.
    #[inline(never)]
    fn token(&mut self, run: Range<usize>) {
        let scanner = self.scanner;
        scanner
            .catalogue
            .inside(self.text, &run, &scanner.enabled, &mut self.memo, &mut self.out);
        if run.len() > LONGEST_RUN {
            return;
        }
        let padding = self.text[run.end..]
            .iter()
            .take(2)
            .take_while(|byte| **byte == b'=')
            .count();
        let span = run.start..run.end + padding;
        if span.len() <= LONGEST_CONTEXTUAL {
            scanner.catalogue.run(self.text, &span, &scanner.enabled, &mut self.out);
        }
        scanner.hidden(self.text, &span, &mut self.out);
        if let Some(start) = broken::literal_start(self.text, run.start) {
            self.literal(start);
        }
    }

    /// A literal in pieces or with escapes.
    #[inline(never)]
    fn literal(&mut self, start: usize) {
        if start >= self.whole {
            self.whole = self.scanner.broken(self.text, start, &mut self.out);
        }
    }

    /// A long run of small letters and what stands between the words of a wallet.
    #[inline(never)]
    fn prose(&mut self, run: Range<usize>) {
        let Some(rule) = &self.scanner.mnemonic else {
            return;
        };
        each_mnemonic(self.text, run, &mut |span| {
            self.out.push(Candidate::of(rule, span, RANK_STRUCTURE));
        });
    }

    /// A block of digits, commas and blanks, or of what else could be taken for them.
    #[inline(never)]
    fn numbers(&mut self, at: usize) {
        if let Some(rule) = &self.scanner.keypair
            && let Some(span) = keypair_around(self.text, at)
        {
            self.out.push(Candidate::of(rule, span, RANK_FORMAT));
        }
    }

    /// Values with names.
    #[expect(clippy::inline_always, reason = "it runs for every 64 bytes, inside of vector code")]
    #[inline(always)]
    fn names(&mut self, at: usize, kinds: &Kinds) {
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
    fn sign_pair(&mut self, at: usize) {
        let (scanner, text, place) = (self.scanner, self.text, self.place);
        if place.lock {
            return;
        }
        pair::at_sign(text, at, &named(scanner), &mut |one| {
            self.out.extend(scanner.generic.judge(text, one, place));
        });
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
