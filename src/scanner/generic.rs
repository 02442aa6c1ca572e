//! Guesses by name and randomness: passwords, keys and other values that have no format of their own.

use std::ops::Range;
use std::sync::Arc;

use super::assignment::Assignment;
use super::candidate::{Candidate, RANK_GENERIC};
use super::placeholder::is_placeholder;
use super::randomness::{Shape, entropy, looks_random};
use super::rule::RuleInfo;

/// The rules that this file reports by; one that is disabled is absent.
#[derive(Debug, Default)]
pub struct Generic {
    pub password: Option<Arc<RuleInfo>>,
    pub secret: Option<Arc<RuleInfo>>,
    pub entropy: Option<Arc<RuleInfo>>,
    /// Bits a character that a random value needs.
    pub floor: f64,
    pub shortest: usize,
}

/// What a name says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    Password,
    Secret,
    /// A hash, an id, a public key: whatever it looks like, it is none.
    Harmless,
    Neutral,
}

const PASSWORDS: &[&str] = &["password", "passwd", "passphrase", "pwd", "passwort", "kennwort", "contrasena", "motdepasse"];
const SECRETS: &[&str] = &[
    "secret", "token", "apikey", "accesskey", "privatekey", "authkey", "credential", "encryptionkey", "signingkey", "masterkey",
    "sessionkey", "clientkey", "servicekey", "webhookkey", "authorization", "apitoken", "storagekey", "accountkey", "licensekey",
    "secretkey", "sharedkey", "jwtkey", "hmackey", "aeskey", "bearer", "salt", "pepper", "cookiekey", "botkey", "adminkey",
];
const HARMLESS: &[&str] = &[
    "hash", "integrity", "checksum", "sha1", "sha256", "sha512", "md5", "digest", "publickey", "public", "fingerprint", "etag", "commit",
    "revision", "version", "uuid", "guid", "signature", "nonce", "tokenid", "keyid", "secretname", "secretid", "keyname", "tokenname",
    "tokentype", "tokenizer", "maxtokens", "tokencount", "tokenurl", "tokenuri", "tokenendpoint", "placeholder", "label", "message",
    "error", "title", "description", "hint", "regex", "pattern", "length", "field", "column", "header", "path", "file", "url", "uri",
    "csrf", "charset", "alphabet", "characters", "chars", "image", "icon", "font", "svg", "d", "data", "src", "href", "content", "policy",
    "tokenaddress", "contract", "address", "txid", "txhash", "sourcemap", "map", "cid", "resolved", "key_id", "expires", "expiry", "min", "max",
    "reset", "forgot", "class", "classname", "style", "placeholdertext", "secretref", "secretarn", "arn", "cert", "certificate", "modulus",
];

/// What a name says, whatever its notation.
pub fn naming(name: &[u8]) -> Naming {
    // Only the last part of `spring.datasource.password` is the name.
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
    let plain: Vec<u8> = last.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
    let has = |words: &[&str]| words.iter().any(|word| memchr::memmem::find(&plain, word.as_bytes()).is_some());
    let ends = |words: &[&str]| words.iter().any(|word| plain.ends_with(word.as_bytes()));
    let last_words = ["id", "name", "type", "url", "uri", "path", "file", "length", "count", "hash", "label", "field", "regex", "pattern", "hint", "policy", "expiry", "error", "message", "text", "title"];
    if (ends(PASSWORDS) || plain == b"pass" || plain.ends_with(b"dbpass") || plain.ends_with(b"userpass") || last.ends_with(b"_pass") || last.ends_with(b"_PASS"))
        && !has(&["forgot", "reset", "confirmation", "placeholder"])
    {
        return Naming::Password;
    }
    if ends(&last_words) || HARMLESS.iter().any(|word| if word.len() < 5 { plain == word.as_bytes() } else { memchr::memmem::find(&plain, word.as_bytes()).is_some() }) {
        return Naming::Harmless;
    }
    if has(SECRETS) || plain == b"auth" || last.ends_with(b"_KEY") || last.ends_with(b"_key") {
        return Naming::Secret;
    }
    Naming::Neutral
}

/// Languages in which a value without quotes is an expression.
const SOURCE: &[&str] = &[
    "js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx", "py", "go", "rs", "java", "kt", "c", "h", "cc", "cpp", "hpp", "cs", "rb", "php", "swift",
    "scala", "dart", "lua", "vue", "svelte", "html", "css", "scss", "md", "mdx", "map",
];

/// Files whose long strings are hashes.
const LOCKS: &[&str] = &[
    "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "Cargo.lock", "go.sum", "poetry.lock", "uv.lock",
    "Pipfile.lock", "composer.lock", "Gemfile.lock", "flake.lock", "deno.lock",
];

/// What the file's name says about guesses in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub source: bool,
    pub lock: bool,
}

impl Place {
    pub fn of(file: Option<&str>) -> Self {
        let name = file.unwrap_or("").rsplit(['/', '\\']).next().unwrap_or("");
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
        let lock = LOCKS.contains(&name);
        Self { source: SOURCE.contains(&extension.as_str()), lock: lock || extension == "map" }
    }
}

impl Generic {
    /// Whether a value of this name is worth a look.
    pub fn wants(&self, name: &[u8]) -> bool {
        match naming(name) {
            Naming::Password => self.password.is_some(),
            Naming::Secret => self.secret.is_some(),
            Naming::Neutral => self.entropy.is_some(),
            Naming::Harmless => false,
        }
    }

    /// What an assignment gives away.
    pub fn judge(&self, text: &[u8], one: &Assignment, place: Place) -> Option<Candidate> {
        let value = trimmed(text, one.value.clone());
        let (name, bytes) = (&text[one.name.clone()], &text[value.clone()]);
        if place.lock || bytes.len() < 6 || is_placeholder(bytes) || bytes.eq_ignore_ascii_case(name) {
            return None;
        }
        match naming(name) {
            Naming::Password => {
                let rule = self.password.as_ref()?;
                let confidence = password(bytes, one, place)?;
                Some(Candidate { confidence, ..Candidate::of(rule, value, RANK_GENERIC) })
            }
            Naming::Secret => {
                let rule = self.secret.as_ref()?;
                if (!one.quoted && (place.source || !one.leads && bytes.len() < 20)) || is_code(bytes) || is_reference(bytes) {
                    return None;
                }
                let hex = bytes.iter().all(u8::is_ascii_hexdigit);
                let random = bytes.len() >= self.shortest.min(16) && looks_random(bytes, self.floor) && !is_identifier(bytes);
                // A hash is as random as a key: only a name that leaves no doubt counts.
                let sure = if hex { 0.5 } else { 0.7 };
                random.then(|| Candidate { confidence: sure, ..Candidate::of(rule, value, RANK_GENERIC) })
            }
            Naming::Neutral => {
                let rule = self.entropy.as_ref()?;
                (one.quoted && self.is_surely_random(bytes)).then(|| Candidate::of(rule, value, RANK_GENERIC))
            }
            Naming::Harmless => None,
        }
    }

    /// A string that nothing names must speak for itself: long, mixed, of one piece and no hash.
    fn is_surely_random(&self, value: &[u8]) -> bool {
        let shape = Shape::of(value);
        let one_piece = value.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-'));
        (self.shortest.max(32)..=128).contains(&value.len())
            && one_piece
            && shape.upper >= 4
            && shape.lower >= 4
            && shape.digits >= 4
            && shape.other * 8 <= value.len()
            && shape.longest_word <= 7
            && shape.changes * 3 >= value.len()
            && entropy(value) >= self.floor.max(4.3)
            && looks_random(value, self.floor)
            && !is_identifier(value)
    }
}

/// How sure a password is one; nothing where it is a word, a sentence or code.
fn password(value: &[u8], one: &Assignment, place: Place) -> Option<f64> {
    let shape = Shape::of(value);
    let blanks = value.iter().filter(|byte| byte.is_ascii_whitespace()).count();
    if blanks > 0 || value.len() > 128 || is_reference(value) {
        return None;
    }
    let letters = shape.lower + shape.upper;
    let kinds = [shape.lower, shape.upper, shape.digits, shape.other].iter().filter(|count| **count > 0).count();
    if !one.quoted {
        // `password: string`, `password = getPassword()`, `password=value` in a sentence.
        if place.source || !one.leads && kinds < 3 || is_code(value) || kinds < 2 {
            return None;
        }
    }
    if kinds < 2 || letters == 0 && shape.digits < 8 {
        return None;
    }
    // camelCase, snake_case and kebab-case words are names of things, not passwords.
    if shape.digits == 0 && value.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'/' | b' ')) {
        return None;
    }
    if shape.other > letters + shape.digits {
        return None;
    }
    Some(if kinds >= 3 && value.len() >= 8 { 0.8 } else { 0.6 })
}

/// A call, an access or a type, not a value.
fn is_code(value: &[u8]) -> bool {
    value.iter().any(|byte| matches!(byte, b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'|'))
        || (value.contains(&b'.') && value.split(|byte| *byte == b'.').all(|part| part.first().is_some_and(u8::is_ascii_alphabetic) && Shape::of(part).digits < 2))
}

/// A path, an address or the name of a variable.
fn is_reference(value: &[u8]) -> bool {
    memchr::memmem::find(value, b"://").is_some()
        || value.starts_with(b"/") && value.iter().filter(|byte| **byte == b'/').count() > 1 && Shape::of(value).digits < 4
        || value.starts_with(b"./") || value.starts_with(b"../") || value.starts_with(b"arn:")
        || value.starts_with(b"$") && value[1..].iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
}

/// UUIDs, dates and versions.
fn is_identifier(value: &[u8]) -> bool {
    let hex_groups: Vec<usize> = value.split(|byte| *byte == b'-').map(|part| if part.iter().all(u8::is_ascii_hexdigit) { part.len() } else { 0 }).collect();
    hex_groups == [8, 4, 4, 4, 12] || value.starts_with(b"sha1-") || value.starts_with(b"sha256-") || value.starts_with(b"sha384-") || value.starts_with(b"sha512-") || value.starts_with(b"data:")
}

/// Without blanks and trailing punctuation that belongs to the sentence.
fn trimmed(text: &[u8], value: Range<usize>) -> Range<usize> {
    let bytes = &text[value.clone()];
    let lead = bytes.len() - bytes.trim_ascii_start().len();
    let trail = bytes.len() - bytes.trim_ascii_end().len();
    if lead + trail >= bytes.len() { value.start..value.start } else { value.start + lead..value.end - trail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_their_value_is() {
        for name in ["password", "DB_PASSWORD", "spring.datasource.password", "userPassword", "smtp_pass", "PWD"] {
            assert_eq!(naming(name.as_bytes()), Naming::Password, "{name}");
        }
        for name in ["api_key", "clientSecret", "JWT_SECRET", "authToken", "ENCRYPTION_KEY", "x-api-key"] {
            assert_eq!(naming(name.as_bytes()), Naming::Secret, "{name}");
        }
        for name in ["integrity", "tokenId", "public_key", "secret_name", "passwordHash", "sha256", "maxTokens", "password_hint"] {
            assert_eq!(naming(name.as_bytes()), Naming::Harmless, "{name}");
        }
        assert_eq!(naming(b"x"), Naming::Neutral);
    }
}
