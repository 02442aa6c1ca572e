//! Literals that may stand anywhere, searched for with vectors.

use aho_corasick::{AhoCorasick, MatchKind, packed};

use crate::error::{Code, Error, Result};

/// Small searchers over a part that fits the cache are several times faster than one for all literals.
const GROUP: usize = 8;
const CHUNK: usize = 64 * 1024;
/// Searchers for a few literals each, and the indexes of these.
pub struct Floating {
    groups: Vec<(Searcher, Vec<usize>)>,
    longest: usize,
}

enum Searcher {
    Vector(packed::Searcher),
    /// Where the processor has no suitable vectors.
    Automaton(AhoCorasick),
}

impl Floating {
    /// A search for literals with their indexes.
    pub fn new(literals: &[(&[u8], usize)]) -> Result<Self> {
        let longest = literals.iter().map(|(literal, _)| literal.len()).max().unwrap_or(1);
        let groups = literals.chunks(GROUP).map(group).collect::<Result<_>>()?;
        Ok(Self { groups, longest })
    }

    /// Calls back for each literal that may stand anywhere, a chunk at a time.
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

fn group(literals: &[(&[u8], usize)]) -> Result<(Searcher, Vec<usize>)> {
    let words = || literals.iter().map(|(literal, _)| literal);
    let vector = packed::Config::new().builder().extend(words()).build();
    let searcher = if let Some(vector) = vector {
        Searcher::Vector(vector)
    } else {
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .build(words())
            .map_err(|error| Error::new(Code::Internal, "the prefix search cannot be built").because(error))?;
        Searcher::Automaton(automaton)
    };
    Ok((searcher, literals.iter().map(|(_, index)| *index).collect()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_found_wherever_the_chunk_border_falls() {
        let floating = Floating::new(&[(b"needle_", 4), (b"dle_x", 2)]).unwrap();
        for shift in 0..12 {
            let mut text = vec![b'.'; CHUNK - shift];
            text.extend_from_slice(b"needle_x");
            text.extend_from_slice(&[b'.'; 40]);
            let mut hits = Vec::new();
            floating.each(&text, |at, word| hits.push((at, word)));
            hits.sort_unstable();
            assert_eq!(hits, [(CHUNK - shift, 4), (CHUNK - shift + 3, 2)], "{shift}");
        }
    }
}
