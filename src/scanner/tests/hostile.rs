use super::super::{catalogue, work};
use super::near_matches::near_matches;
use super::{github_token, scanner};

/// Each is many near-matches in one line; the token at the end must be found all the same.
#[test]
fn long_lines_of_near_matches_are_scanned_to_their_end() {
    let scanner = scanner();
    let token = github_token(1);
    let size = if cfg!(debug_assertions) {
        24 * 1024
    } else {
        16 * 1024 * 1024
    };
    for part in [
        "a",
        " ",
        "\"",
        "=",
        "eyJ.",
        "eyJhbGciOi.",
        "ghp_",
        "sk-",
        "sk-ant-api03-",
        "://",
        "postgres://u:",
        "a:b@",
        "password=",
        "password=\"",
        "password='\"`",
        "secret token password key api_key= : ",
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----BEGIN ",
        "PuTTY-User-Key-File-2 Private-Lines:",
        "abandon ",
        "abandon abandon zoo ",
        "Bearer ",
        "Basic dXNl",
        ":AA",
        "0x",
        "AKIA",
        "\u{1f600}",
        "\\n",
        "%3D",
        "<password>",
        "A1b2C3d4+/",
        "xoxb-1234567890-",
        "x = 'aB3",
        "SG.",
        "glpat-.01.",
        "AAAA\n",
        "', '",
        "'token', '",
        " --token ",
        "curl -u a:b",
        "ENV A_TOKEN ",
    ] {
        let text = format!("{} {token} ", part.repeat(size / part.len()));
        let result = scanner.scan_text(&text, None);
        assert!(
            result.secrets.iter().any(|one| one.rule == "github-token"),
            "{part:?}: {}",
            result.secrets.len()
        );
        assert_eq!(result.bytes_scanned, text.len() as u64);
        let clean = scanner.redact_text(&text);
        assert!(!clean.contains(&token), "{part:?}");
    }
}

/// How often a byte may be looked at beside the one pass; a pattern that is tried counts for its whole window,
/// though nearly all stop at once.
const MOST: usize = 320;

/// Work is counted, not time: it must not grow faster than the text, whatever nearly is a secret.
#[test]
fn near_matches_of_every_rule_are_not_read_again_and_again() {
    let scanner = scanner();
    let files = catalogue::FILES.iter().map(|(_, text)| *text);
    let parts = near_matches(files);
    assert!(parts.len() > 2_000, "{}", parts.len());
    let mut worst = (0, String::new());
    for part in parts {
        let text = part.repeat(4 * 1024 / part.len() + 1);
        work::taken();
        let found = scanner.scan_text(&text, None).found;
        let work = work::taken() / text.len();
        if !found && work > worst.0 {
            worst = (work, part);
        }
    }
    assert!(worst.0 <= MOST, "{worst:?}");
}

#[test]
fn many_findings_in_one_line_each_have_their_place() {
    let token = github_token(2);
    let count = 5_000;
    let text = format!("{token}\u{1f600}").repeat(count);
    let result = scanner().scan_text(&text, None);
    assert_eq!(result.secrets.len(), count);
    let step = token.len() as u32 + 2;
    for (index, one) in (0_u32..).zip(&result.secrets) {
        assert_eq!(
            (one.line, one.column, one.end_column),
            (1, 1 + index * step, 1 + index * step + token.len() as u32)
        );
    }
}
