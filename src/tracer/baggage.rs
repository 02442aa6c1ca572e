//! W3C baggage: names and values that travel with a trace.

use std::fmt::Write;

/// As many as could stand in so many bytes, each with a name of one letter, would be 2,048.
const MOST_ENTRIES: usize = 1_024;
const MOST_BYTES: usize = 8_192;

/// Names and values that travel with a trace, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baggage(Vec<(String, String)>);

impl Baggage {
    /// Reads the header `baggage`; members that break the rules are left out, properties are dropped.
    pub fn parse(header: &str) -> Self {
        let mut baggage = Self::default();
        for member in header.split(',').take(MOST_ENTRIES * 2) {
            let member = member.split(';').next().unwrap_or_default();
            let Some((key, value)) = member.split_once('=') else {
                continue;
            };
            let (key, value) = (key.trim_matches([' ', '\t']), value.trim_matches([' ', '\t']));
            let sound =
                !key.is_empty() && key.bytes().all(is_token) && value.bytes().all(|byte| matches!(byte, 0x21..=0x7e));
            if let (true, Some(value)) = (sound, decode(value)) {
                baggage.set(key, &value);
            }
        }
        baggage
    }

    /// Sets a value; false where the name is no token or there are too many.
    pub fn set(&mut self, key: &str, value: &str) -> bool {
        if key.is_empty() || !key.bytes().all(is_token) {
            return false;
        }
        if let Some((_, old)) = self.0.iter_mut().find(|(known, _)| known == key) {
            value.clone_into(old);
        } else if self.0.len() >= MOST_ENTRIES {
            return false;
        } else {
            self.0.push((key.to_owned(), value.to_owned()));
        }
        true
    }

    /// The value of a name.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, value)| value.as_str())
    }

    /// The header `baggage`, empty where there is none; entries for which there is no room are left out.
    pub fn header(&self) -> String {
        let mut header = String::new();
        for (key, value) in &self.0 {
            let encoded = encode(value);
            let comma = usize::from(!header.is_empty());
            if header.len() + comma + key.len() + 1 + encoded.len() > MOST_BYTES {
                continue;
            }
            if comma > 0 {
                header.push(',');
            }
            header.push_str(key);
            header.push('=');
            header.push_str(&encoded);
        }
        header
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn encode(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn decode(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_shared_vectors_hold() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../__test__/native/tracer-w3c.json")).unwrap();
        for case in vectors["baggage"].as_array().unwrap() {
            let found = Baggage::parse(case["header"].as_str().unwrap()).header();
            assert_eq!(Some(found.as_str()), case["sent"].as_str(), "{case}");
        }
    }

    proptest! {
        #[test]
        fn any_value_travels(value in ".{0,60}", header in ".{0,200}") {
            let mut baggage = Baggage::default();
            prop_assert!(baggage.set("key", &value));
            let read = Baggage::parse(&baggage.header());
            prop_assert_eq!(read.get("key"), Some(value.as_str()));
            let _ = Baggage::parse(&header);
        }
    }

    #[test]
    fn the_header_stays_within_its_bounds() {
        let mut baggage = Baggage::default();
        for index in 0..300 {
            baggage.set(&format!("k{index}"), &"ä".repeat(100));
        }
        assert!(baggage.header().len() <= MOST_BYTES);
        assert!(!baggage.set("no token", "x"));
    }
}
