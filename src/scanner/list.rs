//! Literals of a list that a program joins without anything between them: `['gh', 'p_…'].join('')`,
//! `''.join(['gh', 'p_…'])`, `implode('', ['gh', 'p_…'])`.

use super::candidate::Candidate;
use super::engine::Scanner;
use super::fallback::assigned;
use super::naming::{Naming, naming};
use super::pieces::Border;
use super::work;

/// How far a list may reach, in bytes.
const REACH: usize = 2048;

/// Whether the quotes at `at` are an empty literal that may join a list: two bytes tell it nearly everywhere.
#[inline]
pub fn may_join(text: &[u8], at: usize) -> bool {
    text.get(at + 1) == Some(&text[at])
        && (text.get(at + 2) == Some(&b'.') || at > 0 && text[at - 1] == b'(' && text.get(at + 2) != Some(&text[at]))
}

/// Where the list opens that the empty literal at `at` joins.
pub fn start(text: &[u8], at: usize) -> Option<usize> {
    let (left, right) = (&text[..at], &text[at + 2..]);
    if right.starts_with(b".join([") || right.starts_with(b".join((") {
        return Some(at + 2 + b".join(".len());
    }
    if left.ends_with(b"implode(") {
        let blanks = right
            .strip_prefix(b",")?
            .iter()
            .take_while(|byte| **byte == b' ')
            .count();
        return (right.get(1 + blanks) == Some(&b'[')).then_some(at + 3 + blanks);
    }
    let list = left.strip_suffix(b".join(")?.strip_suffix(b"]")?;
    let window = &list[list.len().saturating_sub(REACH)..];
    work::looked_at(window.len());
    Some(list.len() - window.len() + memchr::memrchr(b'[', window)?)
}

/// What the literals of a list say together.
#[derive(Debug)]
struct List {
    plain: Vec<u8>,
    borders: Vec<Border>,
    /// Where the first literal starts.
    from: usize,
}

/// The list that opens at `open`, if it has literals only, and how far it was read.
fn read(text: &[u8], open: usize) -> (Option<List>, usize) {
    let limit = text.len().min(open + REACH);
    let close = if text[open] == b'[' { b']' } else { b')' };
    let mut list = List {
        plain: Vec::new(),
        borders: Vec::new(),
        from: 0,
    };
    let blanks = |at: usize| {
        at + text[at..limit]
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count()
    };
    let (mut at, mut end) = (open + 1, None);
    loop {
        at = blanks(at);
        let Some(quote @ (b'"' | b'\'' | b'`')) = text[..limit].get(at).copied() else {
            break;
        };
        let start = at + 1;
        let Some(length) = memchr::memchr3(quote, b'\\', b'\n', &text[start..limit]) else {
            break;
        };
        at = start + length;
        if text[at] != quote {
            end = None;
            break;
        }
        match end {
            Some(end) => list.borders.push((list.plain.len(), start - end)),
            None => list.from = start,
        }
        list.plain.extend_from_slice(&text[start..at]);
        end = Some(at);
        at = blanks(at + 1);
        if text[..limit].get(at) != Some(&b',') {
            break;
        }
        at += 1;
    }
    let whole = end.is_some() && text[..limit].get(at) == Some(&close) && !list.borders.is_empty();
    work::looked_at(at - open);
    (whole.then_some(list), at)
}

impl Scanner {
    /// What the list that opens at `open` hides, of which all stands behind `start`; answers how far it was read.
    pub(super) fn listed(&self, text: &[u8], start: usize, open: usize, out: &mut Vec<Candidate>) -> usize {
        let (list, end) = read(text, open);
        if let Some(list) = list {
            let secret = |name: &[u8]| matches!(naming(name), Naming::Password | Naming::Secret);
            let name = assigned(text, start, &secret).map_or(b"".as_slice(), |name| &text[name]);
            out.extend(self.pieced(name, &list.plain, &list.borders, list.from));
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_joined_with_nothing_is_read_whole() {
        for text in [
            "['ab', \"cd\", 'e'].join('')",
            "[\n  'ab',\n  'cde',\n].join(\"\")",
            "''.join(['ab', 'cde'])",
            "\"\".join(('ab', 'cd', 'e'))",
            "implode('', ['ab', 'cde'])",
        ] {
            let bytes = text.as_bytes();
            let at = (0..bytes.len()).find(|at| may_join(bytes, *at)).unwrap();
            let (list, _) = read(bytes, start(bytes, at).unwrap());
            assert_eq!(list.unwrap().plain, b"abcde", "{text}");
        }
        for text in [
            "['ab', x].join('')",
            "['ab'].join('')",
            "['a\\'', 'b'].join('')",
            "['a' 'b'].join('')",
        ] {
            let at = text.len() - 3;
            let (list, _) = read(text.as_bytes(), start(text.as_bytes(), at).unwrap());
            assert!(list.is_none(), "{text}");
        }
        for text in ["a.join('')", "f('')", "''.length", "implode('', x)"] {
            let at = text.find("''").unwrap();
            assert_eq!(start(text.as_bytes(), at), None, "{text}");
        }
    }
}
