//! Finds the literals with which tokens start: several small vector searches over chunks that fit the
//! cache, because one automaton over all literals is several times slower.

use aho_corasick::{AhoCorasick, MatchKind, packed};

use crate::error::{Code, Error, Result};

const GROUP: usize = 16;
const CHUNK: usize = 64 * 1024;

enum Searcher {
    Vector(packed::Searcher),
    /// Where the processor has no suitable vectors.
    Automaton(AhoCorasick),
}

/// Literals in groups, each with its own searcher.
pub struct Prefilter {
    groups: Vec<(Searcher, Vec<usize>)>,
    longest: usize,
}

impl Prefilter {
    /// A searcher for literals; each hit tells the literal's index.
    pub fn new(literals: &[Vec<u8>]) -> Result<Self> {
        let mut groups = Vec::new();
        let mut order: Vec<usize> = (0..literals.len()).collect();
        // Literals that start alike go together: their masks stay narrow.
        order.sort_by(|a, b| literals[*a].cmp(&literals[*b]));
        for group in order.chunks(GROUP) {
            let words: Vec<&[u8]> = group.iter().map(|index| literals[*index].as_slice()).collect();
            let vector = packed::Config::new().builder().extend(words.iter().copied()).build();
            let searcher = if let Some(vector) = vector {
                Searcher::Vector(vector)
            } else {
                let automaton = AhoCorasick::builder()
                    .match_kind(MatchKind::LeftmostFirst)
                    .build(&words)
                    .map_err(|error| Error::new(Code::Internal, "the prefix search cannot be built").because(error))?;
                Searcher::Automaton(automaton)
            };
            groups.push((searcher, group.to_vec()));
        }
        Ok(Self {
            groups,
            longest: literals.iter().map(Vec::len).max().unwrap_or(1),
        })
    }

    /// Calls back for each place at which a literal stands, a chunk at a time.
    pub fn each(&self, text: &[u8], mut hit: impl FnMut(usize, usize)) {
        let mut start = 0;
        while start < text.len() {
            let border = (start + CHUNK).min(text.len());
            // A literal may stand across the border: it belongs to the chunk in which it starts.
            let end = (border + self.longest - 1).min(text.len());
            for (searcher, indexes) in &self.groups {
                let mut from = start;
                while let Some((at, word)) = searcher.find(text, from, end) {
                    if at >= border {
                        break;
                    }
                    hit(at, indexes[word]);
                    from = at + 1;
                }
            }
            start = border;
        }
    }
}

impl Searcher {
    fn find(&self, text: &[u8], from: usize, end: usize) -> Option<(usize, usize)> {
        match self {
            Self::Vector(searcher) => {
                let found = searcher.find_in(text, aho_corasick::Span { start: from, end })?;
                Some((found.start(), found.pattern().as_usize()))
            }
            Self::Automaton(automaton) => {
                let found = automaton.find(aho_corasick::Input::new(text).range(from..end))?;
                Some((found.start(), found.pattern().as_usize()))
            }
        }
    }
}

impl std::fmt::Debug for Prefilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prefilter")
            .field("groups", &self.groups.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_found_wherever_the_chunk_border_falls() {
        let prefilter = Prefilter::new(&[b"needle_".to_vec(), b"dle_x".to_vec()]).unwrap();
        for shift in 0..12 {
            let mut text = vec![b'.'; CHUNK - shift];
            text.extend_from_slice(b"needle_x");
            text.extend_from_slice(&[b'.'; 40]);
            let mut hits = Vec::new();
            prefilter.each(&text, |at, word| hits.push((at, word)));
            hits.sort_unstable();
            assert_eq!(hits, [(CHUNK - shift, 0), (CHUNK - shift + 3, 1)], "{shift}");
        }
    }

    #[test]
    fn more_literals_than_fit_one_group_are_all_found() {
        let literals: Vec<Vec<u8>> = (0..70).map(|index| format!("lit{index:02}_").into_bytes()).collect();
        let prefilter = Prefilter::new(&literals).unwrap();
        let text = literals.concat();
        let mut seen = Vec::new();
        prefilter.each(&text, |_, word| seen.push(word));
        seen.sort_unstable();
        assert_eq!(seen, (0..70).collect::<Vec<_>>());
    }
}
