//! Remembers how far a kind of bytes goes, so that many near-matches in one stretch of text read it once.

use super::work;

/// The last stretch that was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reach {
    /// Nothing stops from here …
    from: usize,
    /// … to here.
    to: usize,
    /// And here something does.
    stopped: bool,
}

impl Reach {
    /// The first place from `at` on that `stops` holds for, at most `limit`, which is not below. One reach is
    /// always asked with the same `stops`.
    pub fn end(&mut self, text: &[u8], at: usize, limit: usize, stops: impl Fn(u8) -> bool) -> usize {
        if !(self.from..=self.to).contains(&at) {
            *self = Self {
                from: at,
                to: at,
                stopped: false,
            };
        }
        if !self.stopped && self.to < limit {
            let rest = &text[self.to..limit];
            let length = rest.iter().position(|byte| stops(*byte));
            work::looked_at(length.unwrap_or(rest.len()));
            self.stopped = length.is_some();
            self.to += length.unwrap_or(rest.len());
        }
        self.to.min(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_the_same_whatever_was_asked_before_and_each_byte_is_read_once() {
        let text = b"aaaaaaaa.aaaa..a";
        let stops = |byte| byte == b'.';
        let mut reach = Reach::default();
        work::taken();
        for at in 0..text.len() {
            for limit in at..=text.len() {
                let expected = text[at..limit].iter().position(|byte| stops(*byte));
                let expected = expected.map_or(limit, |length| at + length);
                assert_eq!(reach.end(text, at, limit, stops), expected, "{at} {limit}");
            }
        }
        assert!(work::taken() <= text.len());
    }
}
