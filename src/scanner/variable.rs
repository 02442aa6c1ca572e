//! What a variable of the Serverless framework is where it is not set: `${env:NAME, 'value'}`.

use std::ops::Range;

use super::brief::SHORTEST;

const SOURCES: [&[u8]; 5] = [b"env", b"opt", b"param", b"ssm", b"self"];
const LONGEST: usize = 256;

/// The name and the value, where `source` says where the variable comes from and the sign behind it stands at `sign`.
pub fn at(text: &[u8], source: Range<usize>, sign: usize) -> Option<(Range<usize>, Range<usize>)> {
    let left = &text[..source.start];
    // Another one may stand before it: `${opt:name, env:NAME, 'value'}`.
    if source.end != sign || !SOURCES.contains(&&text[source]) || !(left.ends_with(b"${") || left.ends_with(b", ")) {
        return None;
    }
    let window = &text[sign + 1..text.len().min(sign + 1 + LONGEST)];
    let comma = memchr::memchr3(b',', b'}', b'\n', window).filter(|at| window[*at] == b',')?;
    // Of `ssm:/path/name` and `self:custom.name` the last part is the name.
    let path = memchr::memrchr2(b'/', b'.', &window[..comma]).map_or(0, |at| at + 1);
    let blanks = window[comma + 1..].iter().take_while(|byte| **byte == b' ').count();
    let open = comma + 1 + blanks;
    let quote = *window.get(open).filter(|byte| matches!(byte, b'"' | b'\''))?;
    let length = memchr::memchr2(quote, b'\n', &window[open + 1..])?;
    let close = open + 1 + length;
    let from = sign + 1;
    (length >= SHORTEST && window[close] == quote && window.get(close + 1) == Some(&b'}'))
        .then_some((from + path..from + comma, from + open + 1..from + close))
}
