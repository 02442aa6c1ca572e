//! Texts to start from, and what is made of them.

use std::path::Path;

/// Pieces that lead the scanner into its rarer paths.
const PIECES: &[&[u8]] = &[
    b"\"",
    b"'",
    b"`",
    b"=",
    b": ",
    b" => ",
    b"\n",
    b"\r\n",
    b"\0",
    b"\\n",
    b"\\u0022",
    b"%3D",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xc3",
    b"\xf0\x9f\x98\x80",
    b"://",
    b"@",
    b"password",
    b"api_key",
    b"token=",
    b"-----BEGIN ",
    b"PRIVATE KEY-----",
    b"-----END ",
    b"Bearer ",
    b"Basic ",
    b"eyJhbGciOi",
    b".eyJ",
    b"abandon ",
    b"about",
    b"PuTTY-User-Key-File-2",
    b"', '",
    b" --token ",
    b"ENV ",
    b"<password>",
    b"********",
    b"auton8n:allow",
    b"0x",
    b"-us1",
];

/// The files of the corpus and the examples of all rules.
pub fn corpus(folder: &Path) -> Result<Vec<Vec<u8>>, super::Fault> {
    let mut seeds = Vec::new();
    for entry in std::fs::read_dir(folder.join("corpus"))? {
        seeds.push(std::fs::read(entry?.path())?);
    }
    for entry in std::fs::read_dir(folder.join("../src/scanner/rules"))? {
        let file: toml::Table = toml::from_str(&std::fs::read_to_string(entry?.path())?)?;
        let rules = file.get("rule").and_then(toml::Value::as_array);
        for rule in rules.into_iter().flatten() {
            let Some(examples) = rule.get("examples").and_then(toml::Value::as_table) else {
                continue;
            };
            for list in examples.values().filter_map(toml::Value::as_array).flatten() {
                let pieces = list.as_array().into_iter().flatten();
                seeds.push(pieces.filter_map(toml::Value::as_str).collect::<String>().into_bytes());
            }
        }
    }
    Ok(seeds)
}

/// The text of a seed: the same for the same seed and corpus.
pub fn mutated(seeds: &[Vec<u8>], seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut text = Vec::new();
    for _ in 0..random.usize(1..6) {
        match random.usize(0..10) {
            0..6 if !seeds.is_empty() => text.extend_from_slice(&seeds[random.usize(0..seeds.len())]),
            6 => text.extend((0..random.usize(0..200)).map(|_| random.u8(..))),
            7 => {
                let piece = PIECES[random.usize(0..PIECES.len())];
                text.extend_from_slice(&piece.repeat(random.usize(1..300)));
            }
            8 => text.resize(text.len() + random.usize(0..200), b' '),
            _ => text.extend((0..random.usize(0..200)).map(|_| random.alphanumeric() as u8)),
        }
    }
    for _ in 0..random.usize(0..12) {
        change(&mut text, &mut random);
    }
    text
}

fn change(text: &mut Vec<u8>, random: &mut fastrand::Rng) {
    let at = random.usize(0..=text.len());
    let end = (at + random.usize(0..40)).min(text.len());
    match random.usize(0..6) {
        0 => drop(text.drain(at..end)),
        1 => {
            let piece = PIECES[random.usize(0..PIECES.len())];
            text.splice(at..at, piece.iter().copied());
        }
        2 if at < text.len() => text[at] = random.u8(..),
        3 if at < text.len() => text[at] ^= 1 << random.u8(0..8),
        4 => {
            let copy = text[at..end].to_vec();
            let to = random.usize(0..=text.len());
            text.splice(to..to, copy);
        }
        _ => text.truncate(text.len() - text.len() / 8),
    }
}
