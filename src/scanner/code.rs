//! Values that are code, paths, addresses and identifiers, and no secrets.

use super::randomness::Shape;

/// An account or a contract of Ethereum.
pub fn is_address(value: &[u8]) -> bool {
    value.len() == 42 && value.starts_with(b"0x") && value[2..].iter().all(u8::is_ascii_hexdigit)
}

/// A call, an access or a type, not a value.
pub fn is_code(value: &[u8]) -> bool {
    has_brackets(value) || is_access(value)
}

pub fn has_brackets(value: &[u8]) -> bool {
    value
        .iter()
        .any(|byte| matches!(byte, b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'|'))
}

/// `user.password`, in which each part is a name.
pub fn is_access(value: &[u8]) -> bool {
    value.contains(&b'.')
        && value
            .split(|byte| *byte == b'.')
            .all(|part| part.first().is_some_and(u8::is_ascii_alphabetic) && Shape::of(part).digits < 2)
        && !value
            .iter()
            .any(|byte| matches!(byte, b'%' | b'^' | b'~' | b'@' | b'#' | b'*'))
}

/// A path, an address or the name of a variable.
pub fn is_reference(value: &[u8]) -> bool {
    memchr::memchr_iter(b':', value).any(|at| value[at..].starts_with(b"://"))
        || value.starts_with(b"/") && memchr::memchr_iter(b'/', value).count() > 1 && Shape::of(value).digits < 4
        || value.starts_with(b"./")
        || value.starts_with(b"../")
        || value.starts_with(b"arn:")
        || value.starts_with(b"$")
            && value[1..]
                .iter()
                .all(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
}

/// UUIDs, dates and versions.
pub fn is_identifier(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"urn:uuid:").unwrap_or(value);
    let dash = |place: usize| matches!(place, 8 | 13 | 18 | 23);
    let mut uuid = value.iter().enumerate();
    value.len() == 36
        && uuid.all(|(place, byte)| {
            if dash(place) {
                *byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        })
        || value.starts_with(b"sha1-")
        || value.starts_with(b"sha256-")
        || value.starts_with(b"sha384-")
        || value.starts_with(b"sha512-")
        || value.starts_with(b"data:")
}
