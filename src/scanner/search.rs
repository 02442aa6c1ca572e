//! Goes over a text once and asks everything that may know what stands at a place.

use std::ops::Range;

use super::broken;
use super::candidate::{Candidate, RANK_FORMAT, RANK_STRUCTURE};
use super::catalogue::{LONGEST_CONTEXTUAL, Memo, SHORTEST_RUN};
use super::detectors::{SHORTEST_MNEMONIC, each_mnemonic, keypair_around, other_words};
use super::engine::Scanner;
use super::place::Place;
use super::reach::Reach;
use super::starts::WordStarts;
use super::sweep::{self, Kinds, Runs, Visit, each_bit};

/// Longer runs are data; a key file in base64 stays below.
const LONGEST_RUN: usize = 16 * 1024;

/// One pass over one text.
pub struct Search<'a> {
    pub(super) scanner: &'a Scanner,
    pub(super) text: &'a [u8],
    pub(super) place: Place,
    pub(super) out: Vec<Candidate>,
    words: WordStarts,
    tokens: Runs<SHORTEST_RUN>,
    prose: Runs<{ SHORTEST_MNEMONIC as u32 }>,
    /// The last bit of the block before, shifted in at the start of the next one.
    pub(super) token_before: u64,
    /// Its last two bits of what an offer may start with, in the same way.
    pub(super) offers_before: u64,
    /// Where values without quotes end.
    pub(super) ends: Reach,
    memo: Memo,
    /// How far literals in pieces were read.
    whole: usize,
    /// How far lists of literals were.
    pub(super) listed: usize,
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
            self.named(at, &kinds);
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
            memo: Memo::new(place.joining()),
            whole: 0,
            listed: 0,
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
            scanner.mail(text, place, &mut search.out);
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
        if let Some(start) = broken::literal_start(self.text, run.start, self.place.joining()) {
            self.literal(start);
        }
    }

    /// A literal in pieces or with escapes.
    #[inline(never)]
    pub(super) fn literal(&mut self, start: usize) {
        if start >= self.whole {
            self.whole = self
                .scanner
                .broken(self.text, start, self.place.joining(), &mut self.out);
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
}
