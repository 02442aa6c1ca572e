//! What must hold for any bytes.

use crate::scanner::{Scanner, ScannerOptions};

/// One property of the scanner.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&Subject, &[u8]) -> Result<(), String>,
}

pub const ALL: &[Target] = &[
    Target {
        name: "scan_text",
        run: scan_text,
    },
    Target {
        name: "redact",
        run: redact,
    },
    Target {
        name: "positions",
        run: positions,
    },
];

/// Scanners that show the secrets they find, and one as it is used.
pub struct Subject {
    plain: Scanner,
    open: Scanner,
}

impl Subject {
    pub fn new() -> Result<Self, super::Fault> {
        let made = |options: serde_json::Value| {
            ScannerOptions::from_json(options)
                .and_then(Scanner::new)
                .map_err(|error| error.to_string())
        };
        Ok(Self {
            plain: made(serde_json::json!({}))?,
            open: made(serde_json::json!({ "reveal": true, "allowComments": false, "minConfidence": 0 }))?,
        })
    }
}

/// Any bytes, under any kind of name: no panic, and the same answer twice.
fn scan_text(subject: &Subject, bytes: &[u8]) -> Result<(), String> {
    for name in [None, Some("a.ts"), Some("a.py"), Some("a.env"), Some("package-lock.json")] {
        let first = subject.plain.scan_bytes(bytes, name);
        if first != subject.plain.scan_bytes(bytes, name) {
            return Err(format!("two scans of {name:?} differ"));
        }
        if first.bytes_scanned != bytes.len() as u64 {
            return Err("some bytes were not scanned".to_owned());
        }
    }
    Ok(())
}

/// What a scan finds is gone afterwards, and a second time changes nothing.
fn redact(subject: &Subject, bytes: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(bytes);
    let once = subject.plain.redact_text(&text).into_owned();
    let twice = subject.plain.redact_text(&once);
    if twice != once {
        return Err("a second redaction changes the text".to_owned());
    }
    let before = subject.open.scan_text(&text, None);
    for one in before.secrets.iter().filter(|one| one.confidence > 0.2) {
        let secret = one.matched.as_deref().unwrap_or("");
        // A short one may stand elsewhere as a word that is no secret.
        if secret.len() >= 24 && text.matches(secret).count() == 1 && once.contains(secret) {
            return Err(format!("a secret of the rule {} stays", one.rule));
        }
    }
    Ok(())
}

/// Lines and columns lead to the secret, in order and inside of the text.
fn positions(subject: &Subject, bytes: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let result = subject.open.scan_text(&text, None);
    let body = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let lines: Vec<Vec<u16>> = body.split('\n').map(|line| line.encode_utf16().collect()).collect();
    let mut last = (0, 0);
    for one in result.secrets {
        let (start, end) = ((one.line, one.column), (one.end_line, one.end_column));
        if start < last || end <= start {
            return Err(format!("{start:?} to {end:?} comes after {last:?}"));
        }
        last = end;
        let secret: Vec<u16> = one.matched.as_deref().unwrap_or("").encode_utf16().collect();
        let mut found = Vec::new();
        for line in one.line..=one.end_line {
            let units = lines.get(line as usize - 1).ok_or("a line after the last one")?;
            let from = if line == one.line { one.column as usize - 1 } else { 0 };
            let to = if line == one.end_line {
                one.end_column as usize - 1
            } else {
                units.len()
            };
            found.extend_from_slice(units.get(from..to).ok_or("a column after the last one")?);
            if line != one.end_line {
                found.push(u16::from(b'\n'));
            }
        }
        if found != secret {
            return Err(format!("the place of a finding of {} holds another text", one.rule));
        }
    }
    Ok(())
}
