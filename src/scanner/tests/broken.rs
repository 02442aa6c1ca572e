//! Tokens that a program writes with escapes or in pieces.

use super::{github_token, scanner};

/// The whole of what stands in a text as the one finding, from its first to its last character.
fn is_found(file: &str, before: &str, written: &str, after: &str) {
    let text = format!("{before}{written}{after}");
    let secrets = scanner().scan_text(&text, Some(file)).secrets;
    assert_eq!(secrets.len(), 1, "{file}: {text}: {secrets:?}");
    let one = &secrets[0];
    assert_eq!(one.rule, "github-token", "{text}");
    let lines = text.lines().map(str::to_owned).collect::<Vec<_>>();
    let place = |line: u32, column: u32| {
        let above: usize = lines[..line as usize - 1].iter().map(|line| line.len() + 1).sum();
        above + column as usize - 1
    };
    let (start, end) = (place(one.line, one.column), place(one.end_line, one.end_column));
    assert_eq!(&text[start..end], written, "{text}");
}

fn escaped(text: &str, escape: impl Fn(u8) -> String) -> String {
    text.bytes().map(escape).collect()
}

#[test]
fn tokens_with_escapes_are_found_in_source() {
    let token = github_token(2);
    let hex = |byte: u8| format!("\\x{byte:02x}");
    let unicode = |byte: u8| format!("\\u00{byte:02X}");
    let braces = |byte: u8| format!("\\u{{{byte:x}}}");
    let with = |at: usize, escape: &dyn Fn(u8) -> String| {
        format!("{}{}{}", &token[..at], escape(token.as_bytes()[at]), &token[at + 1..])
    };
    for file in ["a.js", "a.ts", "a.py", "a.json", "a.txt"] {
        for escape in [&hex as &dyn Fn(u8) -> String, &unicode] {
            for at in [0, 1, 2, 3, 4, 5, 20, 38, 39] {
                is_found(file, "f('", &with(at, escape), "')");
                is_found(file, "const a = \"", &with(at, escape), "\"\n");
            }
            is_found(file, "call(\"", &escaped(&token, escape), "\")");
            is_found(file, "token = '", &escaped(&token, escape), "'");
        }
    }
    for at in [0, 3, 4, 20, 39] {
        is_found("a.ts", "f('", &with(at, &braces), "')");
    }
    is_found("a.ts", "f('", &escaped(&token, braces), "')");
}

#[test]
fn tokens_in_pieces_are_found_in_source() {
    let token = github_token(3);
    for at in [1, 2, 3, 4, 5] {
        let (one, other) = token.split_at(at);
        for joint in ["' + '", "'+'", "' +\n  '", "'\n  + '", "' + \"", "' + `", "${'"] {
            let (open, close) = match joint {
                "${'" => ('`', "'}`"),
                _ => (
                    '\'',
                    if joint.ends_with('\'') {
                        "'"
                    } else {
                        &joint[joint.len() - 1..]
                    },
                ),
            };
            is_found(
                "a.ts",
                &format!("f({open}"),
                &format!("{one}{joint}{other}"),
                &format!("{close})"),
            );
        }
        is_found("a.php", "f('", &format!("{one}' . '{other}"), "');");
    }
    let pieces = format!(
        "{}' + '{}' + '{}' + '{}",
        &token[..1],
        &token[1..2],
        &token[2..4],
        &token[4..]
    );
    is_found("a.ts", "f('", &pieces, "')");
    for at in [6, 12, 20, 30, 38] {
        let (one, other) = token.split_at(at);
        is_found("a.ts", "f('", &format!("{one}' + '{other}"), "')");
    }
    // Where it has a name, pieces of any length are.
    let pieces = format!("{}' + '{}' + '{}", &token[..2], &token[2..18], &token[18..]);
    is_found("a.ts", "const a = '", &pieces, "'");
}

#[test]
fn what_is_no_joint_joins_nothing() {
    let token = github_token(4);
    let (one, other) = token.split_at(2);
    for text in [
        format!("f('{one}', '{other}')"),
        format!("['{one}', '{other}'].join(' ')"),
        format!("f('{one}' '{other}')"),
        format!("f('{one}' + x + '{other}')"),
        format!("f('{one}' - '{other}')"),
        format!("f('{one}' == '{other}')"),
        format!("f('{one}') + g('{other}')"),
        format!("f('\\\\x67{}')", &token[1..]),
        format!("f('\\y67{}')", &token[1..]),
        format!("+ '{other}'"),
        format!("'{other}"),
        format!("}}{other}"),
        format!("\"}}{other}"),
    ] {
        assert!(!scanner().scan_text(&text, Some("a.ts")).found, "{text}");
    }
}
