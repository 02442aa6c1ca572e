//! Tokens inside of other notations: in colours, encoded once or more often, in lines of base64.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

use super::{github_token, scanner};

fn rules(text: &str) -> Vec<String> {
    let scanned = scanner().scan_text(text, Some("a.log"));
    scanned.secrets.into_iter().map(|one| one.rule).collect()
}

/// Found once, and taken out so that a second time changes nothing.
fn is_found(text: &str, secret: &str) {
    assert_eq!(rules(text).len(), 1, "{text:?}: {:?}", rules(text));
    let clean = scanner().redact_text(text).into_owned();
    assert!(!clean.contains(secret), "{text:?}: {clean:?}");
    assert_eq!(scanner().redact_text(&clean), clean, "{text:?}");
}

#[test]
fn a_token_in_the_colours_of_a_terminal_is_found() {
    let token = github_token(1);
    for escape in ["\x1b", "\\u001b", "\\x1b", "\\033", "\\e"] {
        for colour in ["[32m", "[1;31m", "[m", "[38;5;200m"] {
            is_found(&format!("token {escape}{colour}{token}{escape}[0m rest"), &token);
            is_found(&format!("{escape}[0m{escape}{colour}{token}{escape}[0m"), &token);
        }
    }
    let password = ["h7Q!", "z92kVm"].concat();
    for text in [
        "password=\x1b[35m$P$\x1b[0m",
        "\x1b[36mpassword\x1b[39m=\x1b[35m$P$\x1b[39m",
        "\x1b[36mDB_PASSWORD\x1b[0m: \x1b[32m'$P$'\x1b[0m",
    ] {
        is_found(&text.replace("$P$", &password), &password);
    }
    for text in ["[32m", "x[32m", "32m", "\x1b32m", "km"] {
        assert_eq!(rules(&format!("a {text}{token}")), [""; 0], "{text:?}");
    }
}

#[test]
fn a_token_that_is_escaped_twice_is_found() {
    let token = github_token(2);
    for text in ["token%253D", "a%2526t%253D", "x%2520", "\\x22", "\\\\x22"] {
        is_found(&format!("GET /?next={text}{token}%2526a%253Db HTTP/1.1"), &token);
    }
}

#[test]
fn a_token_in_either_base64_is_found() {
    let token = github_token(3);
    let text = format!("{{\"a\":\"??>>~~\",\"token\":\"{token}\"}}");
    for hidden in [
        STANDARD.encode(&text),
        URL_SAFE.encode(&text),
        URL_SAFE_NO_PAD.encode(&text),
    ] {
        is_found(&format!("GET /?config={hidden} HTTP/1.1"), &hidden);
        is_found(&format!("{{\"config\": \"{hidden}\"}}"), &hidden);
    }
    for name in [
        "some_function_that_has_a_long_name_indeed",
        "a-kebab-case-name-that-is-long-enough-for-it",
    ] {
        assert_eq!(rules(&format!("x {name} y")), [""; 0]);
    }
}

#[test]
fn a_token_in_lines_of_base64_is_found_wherever_they_are_cut() {
    let token = github_token(4);
    for before in 0..80 {
        let text = format!("{} {token} and the rest of the text", "x".repeat(before));
        let hidden = STANDARD.encode(&text);
        for width in [64, 76] {
            let lines: Vec<&str> = (0..hidden.len())
                .step_by(width)
                .map(|at| &hidden[at..hidden.len().min(at + width)])
                .collect();
            for joint in ["\n", "\r\n", "\n    "] {
                let lead = joint.trim_start_matches(['\r', '\n']);
                let file = format!("data: |\n{lead}{}\nnext: line\n", lines.join(joint));
                assert_eq!(rules(&file), ["github-token"], "{before} {width} {joint:?}");
            }
        }
    }
    // Lines of other base64 above and below.
    let noise = STANDARD.encode([0x91_u8; 57]);
    let text = STANDARD.encode("a text of which all lines are as long as the others, and that goes on and on");
    assert_eq!(rules(&format!("{noise}\n{noise}\n{text}\n")), [""; 0]);
}
