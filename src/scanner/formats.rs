//! Goes over a text that is no file, such as a decoded one, for what has a fixed format.

use std::ops::Range;

use super::candidate::Candidate;
use super::catalogue::{Catalogue, Memo, SHORTEST_RUN};
use super::pieces::Joining;
use super::starts::WordStarts;
use super::sweep::{self, Kinds, Runs, Visit, each_bit};

impl Catalogue {
    /// Everything with a fixed format; what a disabled rule finds is marked silent.
    pub fn formats(&self, text: &[u8], enabled: &[bool], out: &mut Vec<Candidate>) {
        let mut memo = Memo::new(Joining::default());
        self.floating(text, enabled, &mut memo, out);
        let mut formats = Formats {
            catalogue: self,
            text,
            enabled,
            words: WordStarts::default(),
            tokens: Runs::default(),
            memo,
            out,
        };
        sweep::each(text, self.openings(), &mut formats);
        let tokens = formats.tokens;
        tokens.finish(text.len(), |start, end| formats.token(start..end));
    }
}

/// Looks for formats only.
struct Formats<'a> {
    catalogue: &'a Catalogue,
    text: &'a [u8],
    enabled: &'a [bool],
    words: WordStarts,
    tokens: Runs<SHORTEST_RUN>,
    memo: Memo,
    out: &'a mut Vec<Candidate>,
}

impl Formats<'_> {
    fn token(&mut self, run: Range<usize>) {
        self.catalogue
            .inside(self.text, &run, self.enabled, &mut self.memo, self.out);
    }
}

impl Visit for Formats<'_> {
    fn block(&mut self, at: usize, kinds: Kinds) {
        self.words.block(self.text, at, &kinds, |start| {
            self.catalogue
                .word(self.text, start, self.enabled, &mut self.memo, self.out);
        });
        each_bit(kinds.mark, |bit| {
            self.catalogue
                .marked(self.text, at + bit, self.enabled, &mut self.memo, self.out);
        });
        let mut tokens = self.tokens;
        tokens.block(at, kinds.token, |start, end| self.token(start..end));
        self.tokens = tokens;
    }
}
