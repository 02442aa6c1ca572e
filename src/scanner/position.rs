//! Lines and columns of byte offsets, as editors count them.

/// Walks a text once; offsets are asked for in rising order, so that many findings in one long line
/// cost no more than one.
pub struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
    column: u32,
}

impl<'a> Cursor<'a> {
    /// At the first character; a byte order mark is none.
    pub fn new(text: &'a [u8]) -> Self {
        let at = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self {
            text,
            at,
            line: 1,
            column: 1,
        }
    }

    /// The line and the column of an offset, which is not below the last one.
    pub fn locate(&mut self, offset: usize) -> (u32, u32) {
        if offset > self.at {
            let passed = &self.text[self.at..offset];
            let rest = match memchr::memrchr(b'\n', passed) {
                Some(last) => {
                    self.line += memchr::memchr_iter(b'\n', passed).count() as u32;
                    self.column = 1;
                    &passed[last + 1..]
                }
                None => passed,
            };
            self.column += units(rest) as u32;
            self.at = offset;
        }
        (self.line, self.column)
    }
}

/// UTF-16 units; each broken sequence counts as the one replacement character that a decoder gives.
fn units(text: &[u8]) -> usize {
    text.utf8_chunks()
        .map(|chunk| {
            let valid: usize = chunk.valid().chars().map(char::len_utf16).sum();
            valid + usize::from(!chunk.invalid().is_empty())
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8], offsets: &[usize]) -> Vec<(u32, u32)> {
        let mut cursor = Cursor::new(text);
        offsets.iter().map(|offset| cursor.locate(*offset)).collect()
    }

    #[test]
    fn columns_count_utf16_units() {
        assert_eq!(
            all("a\u{1f600}b\u{e9}c".as_bytes(), &[0, 1, 5, 6, 8]),
            [(1, 1), (1, 2), (1, 4), (1, 5), (1, 6)]
        );
    }

    #[test]
    fn line_ends_of_both_kinds_start_a_line() {
        assert_eq!(all(b"a\r\nbc\nd", &[0, 3, 4, 6]), [(1, 1), (2, 1), (2, 2), (3, 1)]);
    }

    #[test]
    fn a_byte_order_mark_broken_text_and_nul_have_places() {
        assert_eq!(all(b"\xef\xbb\xbfab", &[3, 4]), [(1, 1), (1, 2)]);
        assert_eq!(all(b"\xff\xfea\0b", &[2, 3, 4]), [(1, 3), (1, 4), (1, 5)]);
    }
}
