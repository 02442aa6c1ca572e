//! What the name of a value says about it.

use std::sync::LazyLock;

use super::ending::{ends_harmless, may_end};
use super::words::{Starts, Words};

/// What a name says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    Password,
    Secret,
    /// A hash, an id, a public key: whatever it looks like, it is none.
    Harmless,
    Neutral,
}

const PASSWORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "passwort",
    "kennwort",
    "contrasena",
    "motdepasse",
    // SQL.
    "identifiedby",
];
const SECRETS: &[&str] = &[
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "authkey",
    "credential",
    "encryptionkey",
    "signingkey",
    "masterkey",
    "sessionkey",
    "clientkey",
    "servicekey",
    "webhookkey",
    "authorization",
    "apitoken",
    "storagekey",
    "accountkey",
    "licensekey",
    "secretkey",
    "sharedkey",
    "jwtkey",
    "hmackey",
    "aeskey",
    "bearer",
    "salt",
    "pepper",
    "cookiekey",
    "botkey",
    "adminkey",
];
const HARMLESS: &[&str] = &[
    "integrity",
    "checksum",
    "sha256",
    "sha512",
    "digest",
    "publickey",
    "public",
    "fingerprint",
    "commit",
    "revision",
    "version",
    "signature",
    "nonce",
    "tokenid",
    "keyid",
    "secretname",
    "secretid",
    "keyname",
    "tokenname",
    "tokentype",
    "tokenizer",
    "maxtokens",
    "tokencount",
    "tokenurl",
    "tokenuri",
    "tokenendpoint",
    "placeholder",
    "label",
    "message",
    "error",
    "title",
    "description",
    "regex",
    "pattern",
    "length",
    "field",
    "column",
    "header",
    "charset",
    "alphabet",
    "characters",
    "chars",
    "image",
    "content",
    "policy",
    "tokenaddress",
    "contract",
    "address",
    "txhash",
    "sourcemap",
    "resolved",
    "expires",
    "expiry",
    "reset",
    "forgot",
    "class",
    "classname",
    "style",
    "placeholdertext",
    "secretref",
    "secretarn",
    "certificate",
    "modulus",
];
/// Short ends of names, after a sign between words.
const ENDS: [&[u8]; 4] = [b"_pass", b"_PASS", b"_pw", b"_PW"];
/// Words that make a password a form or a question.
const RESETS: &[&str] = &["forgot", "reset", "confirmation", "placeholder"];

/// What a name says, whatever its notation.
pub fn naming(name: &[u8]) -> Naming {
    // Only the last part of `spring.datasource.password` is the name.
    let last = memchr::memrchr(b'.', name).map_or(name, |point| &name[point + 1..]);
    let families = &*FAMILIES;
    let mut plain = [0_u8; 96];
    let (mut length, mut starts, mut any) = (0, Starts::default(), false);
    for letter in last.iter().map(|byte| LETTERS[usize::from(*byte)]) {
        if letter == 0 {
            continue;
        }
        let Some(place) = plain.get_mut(length) else {
            break;
        };
        *place = letter;
        length += 1;
        any |= families.words.may_start(starts.then(letter));
    }
    let plain = &plain[..length];
    if !any && !may_end(plain) {
        return Naming::Neutral;
    }
    let (mut password, mut reset, mut harmless, mut secret) = (false, false, false, false);
    for (word, end) in families.words.each(plain) {
        match families.family(word) {
            Family::Password => password |= end == length,
            Family::Reset => reset = true,
            Family::Harmless => harmless = true,
            Family::Secret => secret = true,
        }
    }
    let short = plain == b"pass" || plain.ends_with(b"dbpass") || plain.ends_with(b"userpass");
    if (password || short || ENDS.iter().any(|end| last.ends_with(end))) && !reset {
        return Naming::Password;
    }
    if plain.ends_with(b"accesskeyid") {
        // A half of a pair that has a format of its own.
        return Naming::Neutral;
    }
    if harmless || ends_harmless(plain) {
        return Naming::Harmless;
    }
    if secret || plain == b"auth" || last.ends_with(b"_KEY") || last.ends_with(b"_key") {
        return Naming::Secret;
    }
    Naming::Neutral
}

/// Letters in lower case and digits; zero for what else names have.
const LETTERS: [u8; 256] = {
    let mut letters = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        if (byte as u8).is_ascii_alphanumeric() {
            letters[byte] = (byte as u8).to_ascii_lowercase();
        }
        byte += 1;
    }
    letters
};

#[derive(Clone, Copy)]
enum Family {
    Password,
    Reset,
    Harmless,
    Secret,
}

/// All words in one search; where each family of words ends in its list.
struct Families {
    words: Words,
    ends: [(usize, Family); 3],
}

impl Families {
    fn family(&self, word: usize) -> Family {
        self.ends
            .iter()
            .find(|(end, _)| word < *end)
            .map_or(Family::Secret, |(_, family)| *family)
    }
}

static FAMILIES: LazyLock<Families> = LazyLock::new(|| {
    let password = PASSWORDS.len();
    let reset = password + RESETS.len();
    let harmless = reset + HARMLESS.len();
    Families {
        words: Words::new(PASSWORDS.iter().chain(RESETS).chain(HARMLESS).chain(SECRETS).copied()),
        ends: [
            (password, Family::Password),
            (reset, Family::Reset),
            (harmless, Family::Harmless),
        ],
    }
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_their_value_is() {
        for name in [
            "password",
            "DB_PASSWORD",
            "spring.datasource.password",
            "userPassword",
            "smtp_pass",
            "PWD",
        ] {
            assert_eq!(naming(name.as_bytes()), Naming::Password, "{name}");
        }
        for name in [
            "api_key",
            "clientSecret",
            "JWT_SECRET",
            "authToken",
            "ENCRYPTION_KEY",
            "x-api-key",
        ] {
            assert_eq!(naming(name.as_bytes()), Naming::Secret, "{name}");
        }
        for name in [
            "integrity",
            "tokenId",
            "public_key",
            "secret_name",
            "passwordHash",
            "sha256",
            "maxTokens",
            "password_hint",
        ] {
            assert_eq!(naming(name.as_bytes()), Naming::Harmless, "{name}");
        }
        assert_eq!(naming(b"x"), Naming::Neutral);
    }
}
