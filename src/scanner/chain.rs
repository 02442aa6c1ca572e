//! Remembers what literals in pieces say together, so that many near-matches in them put it together once.

use super::pieces::{Joining, MOST_BLANKS, may_join, part};
use super::rule::WINDOW;
use super::work;

/// The last stretch that was put together.
#[derive(Debug, Default)]
pub struct Chain {
    /// Where it starts in the text, and where it ends.
    from: usize,
    to: usize,
    /// Whether nothing goes on at its end.
    whole: bool,
    plain: Vec<u8>,
    /// For each joint and escape where it stands in `plain`, and where the text goes on behind it.
    borders: Vec<(usize, usize)>,
    /// The border after the last place that was asked for.
    next: usize,
    number: usize,
}

/// What pieces say together, and a place in it.
#[derive(Clone, Copy, Debug)]
pub struct Joined<'a> {
    pub text: &'a [u8],
    pub from: usize,
    /// Another number for each stretch.
    pub chain: usize,
}

impl Chain {
    /// What the pieces say, and where in it stands what stands at `at`; nothing where no joint or escape follows in
    /// the window of a pattern.
    pub fn at(&mut self, text: &[u8], at: usize, how: Joining) -> Option<Joined<'_>> {
        let limit = text.len().min(at + WINDOW);
        let place = match self.place(at) {
            Some(place) if self.whole || self.to >= limit => place,
            _ => {
                self.build(text, at, how);
                0
            }
        };
        let last = self.borders.last()?;
        (last.0 > place).then_some(Joined {
            text: &self.plain,
            from: place,
            chain: self.number,
        })
    }

    /// Where in the text the part of `plain` ends that ends before `end`.
    pub fn end(&self, end: usize) -> usize {
        let (plain, text) = self.before(self.borders.partition_point(|(plain, _)| *plain < end));
        text + (end - plain)
    }

    /// The border before the one with an index.
    fn before(&self, index: usize) -> (usize, usize) {
        index.checked_sub(1).map_or((0, self.from), |last| self.borders[last])
    }

    /// Where in `plain` stands what stands at `at` in the text; nothing inside of a joint.
    fn place(&mut self, at: usize) -> Option<usize> {
        if !(self.from..self.to).contains(&at) {
            return None;
        }
        if self.before(self.next).1 > at {
            self.next = 0;
        }
        let behind = self.borders[self.next..].iter().take_while(|(_, text)| *text <= at);
        self.next += behind.count();
        let next = self.next;
        let (plain, text) = self.before(next);
        let place = plain + (at - text);
        let end = self.borders.get(next).map_or(self.plain.len(), |(plain, _)| *plain);
        (place < end).then_some(place)
    }

    fn build(&mut self, text: &[u8], at: usize, how: Joining) {
        self.number += 1;
        self.plain.clear();
        self.borders.clear();
        (self.from, self.next) = (at, 0);
        let window = &text[..text.len().min(at + 4 * WINDOW)];
        self.to = at;
        let stops = loop {
            let rest = &window[self.to..];
            let length = rest.iter().position(|byte| may_join(*byte));
            self.plain.extend_from_slice(&rest[..length.unwrap_or(rest.len())]);
            self.to += length.unwrap_or(rest.len());
            let Some((length, character)) = length.and_then(|length| part(&rest[length..], how)) else {
                break length.is_some();
            };
            self.to += length;
            self.borders
                .push((self.plain.len(), self.to - usize::from(character.is_some())));
            self.plain.extend(character);
        };
        // The end of the window may have cut a joint.
        self.whole = window.len() == text.len() || stops && self.to + MOST_BLANKS < window.len();
        work::looked_at(self.to - at);
    }
}

#[cfg(test)]
mod tests {
    use super::super::pieces::{joined, unjoined};
    use super::*;

    #[test]
    fn every_place_of_a_chain_has_what_is_joined_from_there() {
        let texts = [
            "ab\" + \"cd' + 'ef\\x67h%2Fi\" x \"jk\" +\n \"l\" m".to_owned(),
            "a\" + \"".repeat(3 * WINDOW),
            format!("{}a\" + \"b", "c".repeat(2 * WINDOW - 2)),
        ];
        for text in texts {
            let text = text.as_bytes();
            let mut chain = Chain::default();
            for at in (0..text.len()).filter(|at| text[*at].is_ascii_lowercase()) {
                let window = &text[at..text.len().min(at + 300)];
                let Some((expected, borders)) = joined(window, 20, Joining::default()) else {
                    continue;
                };
                let joined = chain.at(text, at, Joining::default()).unwrap();
                let place = joined.from;
                assert!(
                    joined.text[place..].starts_with(&expected[..expected.len().min(8)]),
                    "{at}"
                );
                let end = place + expected.len().min(8);
                assert_eq!(chain.end(end), at + unjoined(end - place, &borders), "{at}");
            }
        }
    }
}
