use base64::Engine as _;

use super::{github_token, scanner, scanner_with};

/// The rules found in a text, with their places.
fn found(text: &[u8], file: Option<&str>) -> Vec<(String, u32, u32)> {
    scanner()
        .scan_bytes(text, file)
        .secrets
        .into_iter()
        .map(|one| (one.rule, one.line, one.column))
        .collect()
}

fn one(rule: &str, line: u32, column: u32) -> Vec<(String, u32, u32)> {
    vec![(rule.to_owned(), line, column)]
}

#[test]
fn places_are_exact_in_every_kind_of_text() {
    let token = github_token(1);
    for (before, line, column) in [
        ("".as_bytes(), 1, 1),
        (b"x\r\ny = ", 2, 5),
        (b"\xef\xbb\xbfx=", 1, 3),
        ("\u{1f600}\u{e9} ".as_bytes(), 1, 5),
        (b"\xff\xfa\n\x80 ", 2, 3),
        (b"\0\n\0 ", 2, 3),
        (b"{\"a\":\"\\n", 1, 9),
    ] {
        let text = [before, token.as_bytes(), b"\nrest"].concat();
        assert_eq!(found(&text, None), one("github-token", line, column), "{before:?}");
    }
}

#[test]
fn utf16_files_are_read_and_their_columns_are_those_of_the_text() {
    let text = format!("\u{feff}a\r\nkey = {}", github_token(2));
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(found(&bytes, Some("a.env")), one("github-token", 2, 7));
}

#[test]
fn a_token_in_base64_is_found_where_its_base64_stands() {
    let hidden = base64::engine::general_purpose::STANDARD.encode(format!("token={}\n", github_token(3)));
    let text = format!("data:\n  config: {hidden}\n");
    assert_eq!(found(text.as_bytes(), Some("secret.yaml")), one("github-token", 2, 11));
}

#[test]
fn a_token_on_a_chunk_border_is_found() {
    let token = github_token(4);
    for shift in 0..=token.len() {
        let text = format!("{} {token} ", ".".repeat(64 * 1024 - 1 - shift));
        assert_eq!(
            found(text.as_bytes(), None),
            one("github-token", 1, (64 * 1024 + 1 - shift) as u32)
        );
    }
}

#[test]
fn a_private_key_spans_its_lines() {
    let label = "EC PRIVATE KEY";
    let body = "MHcCAQEEIDq7Zt4Rk9Vb2Xm8Lw5PdH3sN6yJ1cG0fT8uEaoAoGCCqGSM49AwEHoU\nQDQgAEk9Vb2Xm8Lw5PdH3sN6yJ1cG0fT8uEa7Zt4Rk9V\n";
    let text = format!("// key\n-----BEGIN {label}-----\n{body}-----END {label}-----\n");
    let result = scanner().scan_text(&text, Some("k.pem"));
    let secret = &result.secrets[0];
    assert_eq!(result.secrets.len(), 1);
    assert_eq!(
        (secret.line, secret.column, secret.end_line, secret.end_column),
        (2, 1, 5, 29)
    );
    assert_eq!(
        secret.redacted,
        format!("-----BEGIN {label}-----********-----END {label}-----")
    );
}

#[test]
fn every_usual_way_to_write_a_password_is_found() {
    for (text, file, column) in [
        ("password = \"h7Q!z92kVm\"", "a.py", 13),
        ("DB_PASSWORD=h7Q!z92kVm", ".env", 13),
        ("  password: h7Q!z92kVm", "a.yaml", 13),
        ("{\"password\": \"h7Q!z92kVm\"}", "a.json", 15),
        ("spring.datasource.password=h7Q!z92kVm", "application.properties", 28),
        ("<password>h7Q!z92kVm</password>", "a.xml", 11),
        ("const dbPassword: string = 'h7Q!z92kVm'", "a.ts", 29),
        ("$password => 'h7Q!z92kVm'", "a.php", 15),
        ("Server=db;User Id=sa;Password=h7Q!z92kVm;", "a.config", 31),
    ] {
        assert_eq!(
            found(text.as_bytes(), Some(file)),
            one("generic-password", 1, column),
            "{text}"
        );
    }
}

#[test]
fn what_only_looks_like_a_secret_is_silent() {
    let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let random = "q7Zt4Rk9Vb2Xm8Lw5PdH3sN6yJ1cG0fT8uEa";
    for (text, file) in [
        (
            format!("\"integrity\": \"sha512-{random}{random}==\""),
            "package-lock.json",
        ),
        (format!("x = \"{random}\""), "yarn.lock"),
        (format!("const hash = '{hash}'"), "a.ts"),
        (format!("sha256: {hash}"), "a.yaml"),
        ("tokenId: '3f2b8c1e-9a4d-4e6f-8b7a-1c2d3e4f5a6b'".into(), "a.ts"),
        ("const token = process.env.GITHUB_TOKEN".into(), "a.ts"),
        ("password: string".into(), "a.ts"),
        ("const password = await getPassword()".into(), "a.ts"),
        ("api_key: ${API_KEY}".into(), "a.yaml"),
        ("secret = '<your secret here>'".into(), "a.py"),
        (format!("commit {}", &hash[..40]), "log.txt"),
        (
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".into(),
            "a.js",
        ),
        (format!("{}IOSFODNN7{}", "AKIA", "EXAMPLE"), "a.md"),
        (format!("{}live_{random}", "pk_"), "a.ts"),
    ] {
        assert_eq!(found(text.as_bytes(), Some(file)), [], "{text}");
    }
}

#[test]
fn variables_are_judged_by_their_name() {
    let token = github_token(5);
    let result = scanner().scan_environment([
        ("API_TOKEN", token.as_str()),
        ("DB_PASSWORD", "corr3ct \"horse\" 9"),
        ("SMTP_PASSWORD", "h7Q\"z92kVm"),
        ("HOME", "/root"),
        ("EMPTY_PASSWORD", ""),
    ]);
    let seen: Vec<_> = result
        .secrets
        .iter()
        .map(|one| (one.file.as_deref().unwrap_or(""), one.rule.as_str(), one.column))
        .collect();
    assert_eq!(result.secrets[1].end_column, 18);
    assert_eq!(
        seen,
        [
            ("env:API_TOKEN", "github-token", 1),
            ("env:DB_PASSWORD", "generic-password", 1),
            ("env:SMTP_PASSWORD", "generic-password", 1)
        ]
    );
    assert_eq!(result.files_scanned, 5);
}

#[test]
fn a_wrong_checksum_is_never_critical() {
    let mut token = github_token(6);
    let last = if token.ends_with('a') { 'b' } else { 'a' };
    token.pop();
    token.push(last);
    assert!(!scanner().scan_text(&format!("token = \"{token}\""), None).found);
    let all = scanner_with(serde_json::json!({ "minConfidence": 0 })).scan_text(&token, None);
    assert_eq!(all.secrets.len(), 1);
    assert_eq!(all.secrets[0].severity.as_str(), "low");
}

#[test]
fn in_source_files_only_some_values_count_without_quotes() {
    let random = "q7Zt4Rk9Vb2Xm8Lw5PdH3sN6yJ";
    let password = ["V3j9", "abwyLLA", "xp"].concat();
    for (text, rule) in [
        (format!("// API_KEY={random}"), "generic-secret"),
        (format!("// DB_PASSWORD: {password}-x"), "generic-password"),
        (format!("x('Server=a;Password={password};Port=1')"), "generic-password"),
        (format!("#define API_KEY \"{random}\""), "generic-secret"),
    ] {
        for before in ["", "let x = 1;\n", &"// text\n".repeat(40)] {
            let text = format!("{before}{text}\n");
            let all = found(text.as_bytes(), Some("a.c"));
            assert!(all.len() == 1 && all[0].0 == rule, "{text}: {all:?}");
        }
    }
    for text in [
        format!("x = {{ apiKey: {random} }}"),
        format!("const password = {password}"),
    ] {
        assert_eq!(found(text.as_bytes(), Some("a.ts")), [], "{text}");
    }
}

#[test]
fn a_secret_that_goes_on_in_the_next_line_is_found_whole() {
    let digits = "99186514145381".repeat(2);
    let mailchimp = format!("{digits}7291-us14");
    let azure = [
        "GdOS20KHw56RpcpWV15Ic4X5J41x61TCi88SpoOzvf8v5Z",
        "PWZ6LKoJXJD/IfzvzSz3g+Yssz3n64WhT1P9y6Hl==",
    ]
    .concat();
    let key = ["q7Zt4Rk9Vb2Xm8", "Lw5PdH3sN6yJ1c"].concat();
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let jwt = [
        &encode(r#"{"alg":"HS256"}"#),
        ".",
        &encode(r#"{"sub":"u-1"}"#),
        ".",
        &key,
        &key,
    ]
    .concat();
    for (name, secret, rule) in [
        ("mailchimpKey", &mailchimp, "mailchimp-api-key"),
        ("AZURE_STORAGE_KEY", &azure, "azure-account-key"),
        ("api_key", &key, "generic-secret"),
        ("session", &jwt, "jwt"),
        ("GITHUB_TOKEN", &github_token(3), "github-token"),
    ] {
        for joint in ["\" +\n  \"", "\"\n    \"", "\" \\\r\n\""] {
            for at in [9, secret.len() / 2, secret.len() - 4] {
                let text = format!("{name} = \"{}{joint}{}\"\n", &secret[..at], &secret[at..]);
                let result = scanner().scan_text(&text, Some("a.py"));
                let places: Vec<_> = result
                    .secrets
                    .iter()
                    .map(|one| (one.rule.as_str(), one.line, one.column, one.end_line))
                    .collect();
                assert_eq!(places, [(rule, 1, name.len() as u32 + 5, 2)], "{text}");
            }
        }
    }
}

#[test]
fn a_provider_named_on_the_line_before_its_value_counts() {
    let id = ["2b0c3a4a", "cdd7", "f9fc", "c589", "f8d0a9f94f03"].join("-");
    for text in [
        format!("  - name: HEROKU_API_KEY\r\n    value: \"{id}\"\r\n"),
        format!("{{ \"name\": \"HEROKU_API_KEY\",\n  \"value\": \"{id}\" }}"),
    ] {
        let all = found(text.as_bytes(), Some("a.yaml"));
        assert!(all.len() == 1 && all[0].0 == "heroku-legacy-key", "{text}: {all:?}");
    }
    let other = format!("  - name: REQUEST_ID\n    value: \"{id}\"\n");
    assert_eq!(found(other.as_bytes(), Some("a.yaml")), []);
}
