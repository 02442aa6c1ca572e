//! Values that stand where a secret will stand, and are none.

use std::sync::LazyLock;

use super::randomness::Shape;
use super::words::Words;

static SIGNS: LazyLock<Words> = LazyLock::new(|| Words::new(TEMPLATES.iter().chain(WORDS).copied()));
static SAMPLES: LazyLock<Words> =
    LazyLock::new(|| Words::new(["example", "placeholder", "your_", "your-", "********"]));

/// Signs that a value is filled in later, or was taken out.
const TEMPLATES: &[&str] = &[
    "${",
    "{{",
    "}}",
    "<%",
    "%(",
    "$(",
    "#{",
    "****",
    "....",
    "\u{2022}\u{2022}",
    "process.env",
    "os.environ",
    "getenv",
];

/// Words that only placeholders have.
const WORDS: &[&str] = &[
    "example",
    "xxxx",
    "your_",
    "your-",
    "yourp",
    "yours",
    "yourt",
    "youra",
    "yourk",
    "placeholder",
    "changeme",
    "change-me",
    "change_me",
    "redacted",
    "dummy",
    "insert",
    "replace",
    "todo",
    "fixme",
    "not-set",
    "notset",
    "undefined",
    "_here",
    "-here",
    "my-secret",
    "my_secret",
    "mysecret",
    "access-token",
    "access_token",
    "accesstoken",
    "mypassword",
    "my-password",
    "my_password",
    "secret_key",
    "secretkey",
    "api_key",
    "api-key",
    "apikey",
    "the_password",
    "foobar",
    "lorem",
    "sample",
    "testtest",
    "fake",
    "default",
    "password123",
    "somepass",
    "secret123",
];

const LONGEST_WHOLE: usize = 11;
/// Whole values that are no secrets, none of them longer.
const WHOLE: &[&str] = &[
    "password",
    "passwd",
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "user",
    "username",
    "admin",
    "root",
    "test",
    "testing",
    "none",
    "null",
    "nil",
    "true",
    "false",
    "string",
    "value",
    "text",
    "guest",
    "postgres",
    "mysql",
    "redis",
    "mongo",
    "rabbitmq",
    "required",
    "optional",
    "unknown",
    "hidden",
    "masked",
    "secret1",
    "pass123",
    "test123",
    "testpass",
    "userpass",
    "passphrase",
    "credential",
    "credentials",
    "bearer",
    "basic",
    "empty",
    "disabled",
    "enabled",
    "prompt",
    "ask",
    "hunter",
    "mypass",
    "mypwd",
    "psw",
    "yourpass",
];

/// Whether a token of a fixed format was obviously never issued.
pub fn is_sample_token(token: &[u8]) -> bool {
    let shape = Shape::of(token);
    token.ends_with(b"EXAMPLE")
        || token.ends_with(b"EXAMPLEKEY")
        || shape.repeat >= 8
        || shape.sequence >= 8
        || (token.len() >= 16 && shape.distinct < 6)
        || SAMPLES.any(token)
        // In either case alone: a random token has four in a row of both more often than one thinks.
        || [b"xxxx", b"XXXX"].iter().any(|crosses| memchr::memmem::find(token, *crosses).is_some())
}

/// Whether a password or a value of an assignment is a placeholder.
pub fn is_placeholder(value: &[u8]) -> bool {
    is_placeholder_of(value, &Shape::of(value))
}

/// The same for a value whose shape is known.
pub fn is_placeholder_of(value: &[u8], shape: &Shape) -> bool {
    if value.is_empty() || shape.distinct < 3 || shape.repeat >= 6 {
        return true;
    }
    let first = value[0];
    let last = value[value.len() - 1];
    // `<password>`, `[password]`, `{password}`, `%password%`, `$PASSWORD`, `__PASSWORD__`, `@env`
    let wrapped = matches!(
        (first, last),
        (b'<', b'>') | (b'[', b']') | (b'{', b'}') | (b'%', b'%') | (b'(', b')')
    );
    let variable = first == b'$'
        && value[1..]
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || *byte == b'_' || byte.is_ascii_digit());
    let reference = value.starts_with(b"__") && value.ends_with(b"__");
    wrapped
        || variable
        || reference
        || SIGNS.any(value)
        || value.len() <= LONGEST_WHOLE && WHOLE.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_known_and_passwords_are_not_taken_for_them() {
        for value in [
            "",
            "${DB_PASSWORD}",
            "$DB_PASSWORD",
            "<password>",
            "[secret]",
            "your_password",
            "changeme",
            "xxxxxxxx",
            "********",
            "{{ secret }}",
            "__TOKEN__",
            "%PASSWORD%",
            "password",
            "Postgres",
            "process.env.KEY",
            "aaaaaaaaaaaa",
        ] {
            assert!(is_placeholder(value.as_bytes()), "{value}");
        }
        for value in ["hunter2!", "S3cr3t-Pa55", "correct-horse-9", "$2y$weird", "p@ssw0rd!9"] {
            assert!(!is_placeholder(value.as_bytes()), "{value}");
        }
    }
}
