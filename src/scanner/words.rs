//! Many words looked for at once, whatever their case.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// A set of words in lower case; the index of a word is its place in the list.
pub struct Words(Option<AhoCorasick>);

impl Words {
    /// A searcher for words.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        // It fails only for sets of millions of words.
        Self(
            AhoCorasick::builder()
                .kind(Some(AhoCorasickKind::DFA))
                .ascii_case_insensitive(true)
                .build(words)
                .ok(),
        )
    }

    /// Whether any of the words stands in `text`.
    pub fn any(&self, text: &[u8]) -> bool {
        self.0.as_ref().is_some_and(|searcher| searcher.is_match(text))
    }

    /// Every word in `text`, also those that overlap, and where each ends.
    pub fn each<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (usize, usize)> + 'a {
        self.0.iter().flat_map(move |searcher| {
            searcher
                .find_overlapping_iter(text)
                .map(|found| (found.pattern().as_usize(), found.end()))
        })
    }
}
