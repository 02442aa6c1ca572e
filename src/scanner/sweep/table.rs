//! Which kinds each byte has; every way to look at a block is made from this one table.

/// How many kinds there are, without the openings.
pub const KINDS: usize = 16;

/// The byte by which a literal is found that stands inside of a word.
pub const MARK: u8 = b'~';

/// For each byte a bit for each kind, in the order of the fields of `Kinds`. Bytes that are not ASCII have none.
pub const TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 128 {
        let byte = index as u8;
        let word = byte.is_ascii_alphanumeric() || byte == b'_';
        let quote = matches!(byte, b'"' | b'\'' | b'`');
        let flags: [bool; KINDS] = [
            word,
            word || matches!(byte, b'+' | b'/' | b'-'),
            matches!(byte, b'=' | b':' | b'>'),
            quote,
            matches!(byte, b' ' | b'\t'),
            matches!(byte, b'b' | b'r' | b'f' | b'u' | b'@' | b'\\'),
            matches!(byte, b'\\' | b'%' | super::super::colour::ESCAPE),
            matches!(byte, b'a'..=b'z' | b' ' | b'\n' | b'\r' | b'\t' | b',' | b'"' | b'\''),
            byte == b',',
            byte == b'-',
            byte == b'>',
            quote
                || byte.is_ascii_whitespace()
                || matches!(byte, b'\\' | b';' | b',' | b'|' | b'<' | b'=' | b'>')
                || matches!(byte, b'(' | b')' | b'[' | b']' | b'{' | b'}'),
            byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_',
            byte == b'=',
            byte == MARK,
            matches!(byte, b'C' | b'D' | b'I'..=b'Z' | b'a'..=b'f'),
        ];
        let mut bit = 0;
        while bit < KINDS {
            table[index] |= (flags[bit] as u16) << bit;
            bit += 1;
        }
        index += 1;
    }
    table
};
