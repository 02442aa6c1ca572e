use super::super::finding::Finding;
use super::super::stream::{Buffer, Windows};
use super::{github_token, scanner};

/// One of each way to stand in a text, in pieces where it has to be.
fn secrets() -> Vec<String> {
    use base64::Engine as _;
    let token = github_token(5);
    let (head, tail) = token.split_at(20);
    let hidden = base64::engine::general_purpose::STANDARD.encode(format!("the token is {token}, keep it"));
    let key = "MC4CAQAwBQYDK2VwBCIEIJ9sQ2vX7kLm4TbN8wRzYc1Hd5Gf0PjUa3EoKi6VtSxZ";
    let label = ["PRIVATE", "KEY-----"].join(" ");
    vec![
        token.clone(),
        format!("-----BEGIN {label}\n{key}\n-----END {label}"),
        format!("\"{hidden}\""),
        ["postgres", "://app:h7Qz92kVm1x@db.internal:5432/app"].concat(),
        format!("\"{head}\" +\n  \"{tail}\""),
        "unit wisdom bag safe depart walk pluck glad seat rescue voyage party".to_owned(),
        "api_key = \"q7Zt4Rk9Vb2Xm8Lw5Pd3\"".to_owned(),
    ]
}

const FILLER: &str = "Now: 12 caf\u{e9}s, 4 TEAS.\n";

/// A text in which the secret stands at `at`.
fn planted(secret: &str, at: usize, length: usize) -> String {
    let mut text = FILLER.repeat(at / FILLER.len());
    text.push_str(&" ".repeat(at - text.len()));
    text.push_str(secret);
    text.push('\n');
    while text.len() < length {
        text.push_str(FILLER);
    }
    text
}

fn streamed(bytes: &[u8], windows: Windows) -> Vec<Finding> {
    let mut buffer = Buffer::default();
    let mut file = bytes;
    let wide = bytes.starts_with(&[0xff, 0xfe]);
    buffer.read(&mut file, if wide { 2 } else { 0 }).unwrap();
    let result = scanner().scan_stream(&mut file, "a.txt", &mut buffer, u64::MAX, windows);
    let result = result.unwrap().unwrap();
    assert_eq!(result.bytes_scanned, bytes.len() as u64);
    result.secrets
}

#[test]
fn a_secret_is_found_at_every_place_on_the_border_of_a_window() {
    let windows = Windows {
        step: 1024,
        margin: 512,
    };
    let scanner = scanner();
    for secret in secrets() {
        for at in 1024 - secret.len() - 2..1024 + 3 {
            let text = planted(&secret, at, 2600);
            let whole = scanner.scan_text(&text, Some("a.txt")).secrets;
            assert_eq!(whole.len(), 1, "{at} {secret}");
            assert_eq!(streamed(text.as_bytes(), windows), whole, "{at} {secret}");
            if at % 5 == 0 {
                let units = text.encode_utf16().flat_map(u16::to_le_bytes);
                let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(units).collect();
                assert_eq!(streamed(&wide, windows), whole, "{at} {secret}");
            }
        }
    }
}

#[test]
fn a_secret_is_found_at_every_place_in_a_block_and_at_the_end() {
    let scanner = scanner();
    for secret in secrets() {
        for at in 0..130 {
            for length in [0, 400] {
                let text = planted(&secret, at, length);
                let found = scanner.scan_text(text.trim_end(), Some("a.txt")).secrets;
                assert_eq!(found.len(), 1, "{at} {secret}");
            }
        }
    }
}

/// Literals inside of words are searched for in chunks of 64 KiB.
#[test]
fn a_secret_is_found_at_every_place_on_the_border_of_a_chunk() {
    let scanner = scanner();
    let secret = secrets().swap_remove(3);
    for at in 64 * 1024 - secret.len()..64 * 1024 + 2 {
        let from = at.saturating_sub(200);
        let text = format!("{}{}", "\n".repeat(from), planted(&secret, at - from, 300));
        let found = scanner.scan_text(&text, Some("a.txt")).secrets;
        assert_eq!(found.len(), 1, "{at} {secret}");
    }
}
