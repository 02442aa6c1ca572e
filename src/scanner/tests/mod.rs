//! What the scanner promises.

mod borders;
mod broken;
mod directory;
mod forms;
mod hostile;
mod joined;
mod judgement;
mod kinds;
mod near_matches;
mod options;
mod places;
mod redaction;
mod rules;

use super::{Scanner, ScannerOptions};

fn scanner() -> Scanner {
    Scanner::new(ScannerOptions::default()).unwrap()
}

fn scanner_with(options: serde_json::Value) -> Scanner {
    Scanner::new(ScannerOptions::from_json(options).unwrap()).unwrap()
}

/// A token with a right checksum, made here so that none stands in the repository.
fn github_token(seed: u8) -> String {
    let body: String = (0..30_u8)
        .map(|index| char::from(b"k3Zq9Xw2Rt7Lm5Vb8Np"[usize::from((index * 7 + seed) % 19)]))
        .collect();
    let check = super::checksum::digits(crc32fast::hash(body.as_bytes()), 62, 6);
    format!("{}{body}{}", ["gh", "p_"].concat(), String::from_utf8(check).unwrap())
}
