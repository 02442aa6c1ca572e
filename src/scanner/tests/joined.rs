//! Tokens that a language, a list, a template or a mail puts together, and characters that nobody sees in them.

use super::{github_token, scanner};

fn values(text: &str, file: &str) -> Vec<String> {
    let scanner = super::scanner_with(serde_json::json!({ "reveal": true }));
    let secrets = scanner.scan_text(text, Some(file)).secrets;
    secrets
        .into_iter()
        .map(|one| format!("{} {}", one.rule, one.matched.unwrap_or_default()))
        .collect()
}

/// The whole of what stands in a text as the one finding; redaction takes it out, and nothing more the second time.
fn is_found(file: &str, before: &str, written: &str, after: &str) {
    let text = format!("{before}{written}{after}");
    assert_eq!(
        values(&text, file),
        [format!("github-token {written}")],
        "{file}: {text:?}"
    );
}

fn is_redacted(text: &str, written: &str) {
    let clean = scanner().redact_text(text).into_owned();
    assert!(!clean.contains(written), "{text:?}: {clean:?}");
    assert_eq!(scanner().redact_text(&clean), clean, "{text:?}");
}

#[test]
fn literals_beside_each_other_are_one_where_the_language_says_so() {
    let token = github_token(5);
    for at in [1, 2, 4, 5, 12, 30, 38] {
        let (one, other) = token.split_at(at);
        for file in ["a.py", "a.c", "a.hpp", "a.rb"] {
            is_found(file, "f(\"", &format!("{one}\" \"{other}"), "\")");
            is_found(file, "f(\n  \"", &format!("{one}\"\n  \"{other}"), "\"\n)");
            is_found(file, "token = (\"", &format!("{one}\"\n         \"{other}"), "\")\n");
        }
        for file in ["a.ts", "a.sh", "a.json"] {
            assert!(
                values(&format!("f(\"{one}\" \"{other}\")"), file).is_empty(),
                "{file} {at}"
            );
        }
        for between in ["\", \"", "\" - \"", "\" x \"", "\"; \""] {
            assert!(
                values(&format!("f(\"{one}{between}{other}\")"), "a.py").is_empty(),
                "{between}"
            );
        }
    }
    let password = ["h7Q!", "z92kVm"].concat();
    let text = format!("password = \"{}\" \"{}\"\n", &password[..5], &password[5..]);
    assert_eq!(values(&text, "a.py").len(), 1);
    // What stands on the next line is another statement.
    let text = format!("password = \"{password}\"\n'two'\n");
    assert_eq!(values(&text, "a.py"), [format!("generic-password {password}")]);
    // Whatever stands beside a whole token belongs to it only where the language says so.
    assert_eq!(
        values(&format!("f \"{token}\" \"abc\""), "a.sh"),
        [format!("github-token {token}")]
    );
}

#[test]
fn lists_that_are_joined_with_nothing_are_one() {
    let token = github_token(6);
    for at in [1, 3, 4, 12, 30] {
        let (one, other) = token.split_at(at);
        is_found("a.js", "f(['", &format!("{one}', '{other}"), "'].join(''))");
        is_found(
            "a.ts",
            "const a = [\n  \"",
            &format!("{one}\",\n  \"{other}"),
            "\",\n].join(\"\")",
        );
        is_found("a.py", "a = ''.join(['", &format!("{one}', '{other}"), "'])");
        is_found("a.py", "a = \"\".join((\"", &format!("{one}\", \"{other}"), "\"))");
        is_found("a.php", "$a = implode('', ['", &format!("{one}', '{other}"), "']);");
        for end in ["'].join(',')", "'].join(' ')", "']", "', x].join('')", "'].map('')"] {
            assert!(
                values(&format!("f(['{one}', '{other}{end})"), "a.js").is_empty(),
                "{end}"
            );
        }
    }
    let letters: Vec<String> = token.chars().map(|letter| format!("'{letter}'")).collect();
    assert_eq!(
        values(&format!("x = [{}].join('')", letters.join(",")), "a.js").len(),
        1
    );
    let password = ["h7Q!", "z92kVm"].concat();
    let text = format!("const password = ['{}', '{}'].join('')", &password[..3], &password[3..]);
    assert_eq!(values(&text, "a.js").len(), 1);
    assert!(values("const path = ['src', 'index', '.js'].join('')", "a.js").is_empty());
}

#[test]
fn literals_inside_of_a_template_belong_to_it() {
    let token = github_token(7);
    for at in [1, 2, 3, 4] {
        let (one, other) = token.split_at(at);
        is_found("a.ts", "f(`${'", &format!("{one}'}}{other}"), "`)");
        is_found("a.ts", "f(`${\"", &format!("{one}\"}}{other}"), "`)");
    }
    let (one, rest) = token.split_at(1);
    let (two, rest) = rest.split_at(1);
    is_found("a.ts", "f(`${'", &format!("{one}'}}${{'{two}'}}{rest}"), "`)");
    // Many of them: read as far as a start of a token may reach.
    for count in 1..60 {
        for shift in 0..4 {
            let text = format!(
                "{}{}{}{rest}`)",
                " ".repeat(shift),
                "x".repeat(shift),
                "${'g'}".repeat(count)
            );
            assert!(values(&text, "a.ts").is_empty(), "{text}");
        }
    }
    for text in [
        format!("f(`${{{one}}}{two}{rest}`)"),
        format!("f({{a: '{one}'}}{two}{rest})"),
        format!("f(`${{'{one}'}} {two}{rest}`)"),
    ] {
        assert!(values(&text, "a.ts").is_empty(), "{text}");
    }
}

#[test]
fn what_a_variable_of_serverless_is_where_it_is_not_set_is_found() {
    let password = ["h7Q!", "z92kVm"].concat();
    for text in [
        "  pw: ${env:DB_PASSWORD, '$P$'}",
        "  pw: ${opt:stage, env:DB_PASSWORD, '$P$'}",
        "  pw: \"${ssm:/prod/db/password, '$P$'}\"",
        "  pw: ${self:custom.password, \"$P$\"}",
    ] {
        let found = values(&text.replace("$P$", &password), "serverless.yml");
        assert_eq!(found, [format!("generic-password {password}")], "{text}");
    }
    for text in [
        "  a: ${env:STAGE, 'h7Qz92kVm'}",
        "  a: ${env:DB_PASSWORD, ''}",
        "  a: ${env:DB_PASSWORD}",
        "  a: ${env:DB_PASSWORD, self:custom.pw}",
        "  a: ${env:DB_PASSWORD, '${self:x}'}",
    ] {
        assert!(values(text, "serverless.yml").is_empty(), "{text}");
    }
}

#[test]
fn a_token_over_the_soft_line_ends_of_a_mail_is_found() {
    let token = github_token(8);
    let head = "Subject: x\nContent-Transfer-Encoding: quoted-printable\n\n";
    for at in [1, 3, 4, 20, 39] {
        for cut in ["=\n", "=\r\n"] {
            let (one, other) = token.split_at(at);
            is_found(
                "a.eml",
                &format!("{head}your token: "),
                &format!("{one}{cut}{other}"),
                " =E2=80=A6\nbye\n",
            );
            is_found("a.eml", &format!("{head}?a=3D"), &format!("{one}{cut}{other}"), "&b=\n");
        }
    }
    is_found("a.eml", &format!("{head}a=\n"), &token, "=\n b");
    let text = format!("{head}token {}=\n{}\n", &token[..7], &token[7..]);
    is_redacted(&text, &token[7..]);
    for shift in 0..60 {
        let head = format!("{head}a=3Db {}", "c ".repeat(8 * 1024 - 50 + shift));
        is_found("a.eml", &head, &format!("{}=\n{}", &token[..20], &token[20..]), "\n");
    }
    // Elsewhere `=` at the end of a line means nothing.
    assert!(values(&text.replace("quoted-printable", "8bit"), "a.eml").is_empty());
}

#[test]
fn characters_that_nobody_sees_hide_no_token() {
    let token = github_token(9);
    for unseen in [
        "\u{200b}",
        "\u{200c}",
        "\u{200d}",
        "\u{2060}",
        "\u{feff}",
        "\u{ad}",
        "\u{200b}\u{200b}",
    ] {
        for at in [1, 2, 3, 4, 5, 20, 39] {
            let written = format!("{}{unseen}{}", &token[..at], &token[at..]);
            for file in ["a.md", "a.ts"] {
                is_found(file, "my ", &written, " is");
            }
            is_redacted(&format!("my {written} is"), &token[at.min(20)..]);
        }
        is_found("a.md", &format!("my {unseen}"), &token, &format!("{unseen} is"));
    }
    for seen in ["\u{2019}", "\u{e9}", " ", "\u{2014}"] {
        let text = format!("my {}{seen}{} is", &token[..5], &token[5..]);
        assert!(values(&text, "a.md").is_empty(), "{seen:?}");
    }
}
