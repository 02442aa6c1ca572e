//! What a name ends in, by which nearly every name is told from one that says something.

/// Harmless as the whole name only.
const SHORT_HARMLESS: &[&str] = &[
    "hash", "sha1", "md5", "etag", "uuid", "guid", "hint", "path", "file", "url", "uri", "csrf", "icon", "font", "svg",
    "d", "data", "src", "href", "txid", "map", "cid", "min", "max", "arn", "cert",
];
/// Last words of harmless names.
const ENDINGS: &[&str] = &[
    "id", "name", "type", "url", "uri", "path", "file", "length", "count", "hash", "label", "field", "regex",
    "pattern", "hint", "policy", "expiry", "error", "message", "text", "title",
];

/// For the last letter of what ends a name that says something, a bit for each letter before it.
const LAST_TWO: [u64; 128] = {
    const fn add(table: &mut [u64; 128], word: &[u8]) {
        if let [.., second, last] = word {
            table[*last as usize] |= 1 << (*second & 63);
        }
    }
    let mut table = [0; 128];
    let mut index = 0;
    while index < ENDINGS.len() {
        add(&mut table, ENDINGS[index].as_bytes());
        index += 1;
    }
    index = 0;
    while index < SHORT_HARMLESS.len() {
        add(&mut table, SHORT_HARMLESS[index].as_bytes());
        index += 1;
    }
    // `_pw`, `_key`, `pass` and `auth`.
    add(&mut table, b"pw");
    add(&mut table, b"ey");
    add(&mut table, b"ss");
    add(&mut table, b"th");
    table
};

/// Whether a name may end in something that says what it is.
pub fn may_end(plain: &[u8]) -> bool {
    match plain {
        [.., second, last] => LAST_TWO[usize::from(*last & 127)] >> (second & 63) & 1 == 1,
        // A short name of one letter.
        [_] => true,
        [] => false,
    }
}

/// Whether a name in small letters is harmless as a whole, or by its last word.
pub fn ends_harmless(plain: &[u8]) -> bool {
    plain.len() <= 4 && SHORT_HARMLESS.iter().any(|word| plain == word.as_bytes())
        || ENDINGS
            .iter()
            .any(|word| word.as_bytes().last() == plain.last() && plain.ends_with(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_name_ends_in_it_may_end_so() {
        for word in SHORT_HARMLESS.iter().chain(ENDINGS) {
            assert!(may_end(word.as_bytes()) && ends_harmless(word.as_bytes()), "{word}");
        }
        for word in ["pass", "dbpass", "auth", "smtppw", "apikey"] {
            assert!(may_end(word.as_bytes()) && !ends_harmless(word.as_bytes()), "{word}");
        }
        assert!(!may_end(b"foo") && !may_end(b""));
    }
}
