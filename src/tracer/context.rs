//! W3C trace context: who a span is, in a header and out of it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most entries of a `tracestate`, and the most bytes that are carried on.
const STATE_ENTRIES: usize = 32;
const STATE_BYTES: usize = 512;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(pub [u8; $bytes]);

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(digits: String) -> Result<Self, Self::Error> {
                Self::parse(&digits).ok_or("not the digits of an id")
            }
        }

        impl $name {
            /// The id of lower-case hexadecimal digits; all zeros are none.
            pub fn parse(hex: &str) -> Option<Self> {
                if !is_hex(hex) {
                    return None;
                }
                let mut bytes = [0; $bytes];
                hex::decode_to_slice(hex, &mut bytes).ok()?;
                (bytes != [0; $bytes]).then_some(Self(bytes))
            }

            /// A fresh one.
            pub fn random() -> Self {
                let mut bytes = [0; $bytes];
                while bytes == [0; $bytes] {
                    fastrand::Rng::new().fill(&mut bytes);
                }
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }
    };
}

id!(
    /// Which trace: 32 digits.
    TraceId, 16
);
id!(
    /// Which span: 16 digits.
    SpanId, 8
);

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Who a span is, as it crosses a border.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanContext {
    pub trace: TraceId,
    pub span: SpanId,
    /// Bit 0 says that it is sampled.
    pub flags: u8,
    pub state: TraceState,
}

impl SpanContext {
    /// Whether it is sampled.
    pub const fn sampled(&self) -> bool {
        self.flags & 1 == 1
    }

    /// 32 digits.
    pub fn trace_id(&self) -> String {
        self.trace.to_string()
    }

    /// 16 digits.
    pub fn span_id(&self) -> String {
        self.span.to_string()
    }

    /// The header `traceparent`.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace, self.span, self.flags & 3)
    }

    /// Reads `traceparent` and `tracestate`. A header that is not to the letter is no context; a
    /// version that is not known yet may have more behind a dash.
    pub fn parse(traceparent: &str, tracestate: Option<&str>) -> Option<Self> {
        let header = traceparent.trim_matches([' ', '\t']);
        if !header.is_ascii() || header.len() < 55 || header.len() > 1_024 {
            return None;
        }
        let mut parts = header.get(..55)?.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let lengths = [version.len(), trace.len(), span.len(), flags.len()] == [2, 32, 16, 2];
        if !lengths || parts.next().is_some() || !is_hex(version) || !is_hex(flags) || version == "ff" {
            return None;
        }
        let rest = header.get(55..)?;
        if version == "00" && !rest.is_empty() || !rest.is_empty() && !rest.starts_with('-') {
            return None;
        }
        let known = if version == "00" { 0x3 } else { 0x1 };
        Some(Self {
            trace: TraceId::parse(trace)?,
            span: SpanId::parse(span)?,
            flags: u8::from_str_radix(flags, 16).ok()? & known,
            state: tracestate.map(TraceState::parse).unwrap_or_default(),
        })
    }
}

/// What other tracers carry along, kept in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceState(Vec<(String, String)>);

impl TraceState {
    /// Reads `tracestate`; one that breaks the rules is dropped as a whole.
    pub fn parse(header: &str) -> Self {
        let mut entries: Vec<(String, String)> = Vec::new();
        for member in header.split(',').map(|member| member.trim_matches([' ', '\t'])) {
            if member.is_empty() {
                continue;
            }
            let Some((key, value)) = member.split_once('=') else {
                return Self::default();
            };
            let known = entries.iter().any(|(other, _)| other == key);
            if known || !is_state_key(key) || !is_state_value(value) || entries.len() == STATE_ENTRIES {
                return Self::default();
            }
            entries.push((key.to_owned(), value.to_owned()));
        }
        Self(entries)
    }

    /// The header `tracestate`, empty where there is none; what is too long is left out from the end.
    pub fn header(&self) -> String {
        let mut header = String::new();
        for (key, value) in &self.0 {
            if header.len() + key.len() + value.len() + 2 > STATE_BYTES {
                break;
            }
            if !header.is_empty() {
                header.push(',');
            }
            header.push_str(key);
            header.push('=');
            header.push_str(value);
        }
        header
    }

    /// Whether it carries nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn is_state_key(key: &str) -> bool {
    let rest = |text: &str| {
        text.bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/'))
    };
    let start = |text: &str, digit: bool| {
        text.bytes()
            .next()
            .is_some_and(|b| b.is_ascii_lowercase() || digit && b.is_ascii_digit())
            && rest(text)
    };
    match key.split_once('@') {
        Some((tenant, system)) => {
            tenant.len() <= 241 && system.len() <= 14 && start(tenant, true) && start(system, false)
        }
        None => key.len() <= 256 && start(key, true),
    }
}

fn is_state_value(value: &str) -> bool {
    (1..=256).contains(&value.len())
        && value
            .bytes()
            .all(|b| matches!(b, 0x20..=0x7e) && b != b',' && b != b'=')
        && !value.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    /// The vectors that the TypeScript half is held to as well.
    const VECTORS: &str = include_str!("../../__test__/native/tracer-w3c.json");

    #[test]
    fn the_shared_vectors_hold() {
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        for case in vectors["traceparent"].as_array().unwrap() {
            let found = SpanContext::parse(case["header"].as_str().unwrap(), None);
            let found = found.map(|context| context.traceparent());
            assert_eq!(found.as_deref(), case["sent"].as_str(), "{case}");
        }
        for case in vectors["tracestate"].as_array().unwrap() {
            let found = TraceState::parse(case["header"].as_str().unwrap()).header();
            assert_eq!(Some(found.as_str()), case["sent"].as_str(), "{case}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_a_panic(header in ".{0,80}", state in ".{0,80}") {
            let _ = SpanContext::parse(&header, Some(&state));
        }

        #[test]
        fn what_is_written_is_read(trace in "[0-9a-f]{31}1", span in "[0-9a-f]{15}1", sampled in 0_u8..4) {
            let context = SpanContext {
                trace: TraceId::parse(&trace).unwrap(), span: SpanId::parse(&span).unwrap(), flags: sampled, state: TraceState::default(),
            };
            prop_assert_eq!(SpanContext::parse(&context.traceparent(), None), Some(context));
        }
    }
}
