//! What the name of a value, and the name of its file, say about it.

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
    "hash",
    "integrity",
    "checksum",
    "sha1",
    "sha256",
    "sha512",
    "md5",
    "digest",
    "publickey",
    "public",
    "fingerprint",
    "etag",
    "commit",
    "revision",
    "version",
    "uuid",
    "guid",
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
    "hint",
    "regex",
    "pattern",
    "length",
    "field",
    "column",
    "header",
    "path",
    "file",
    "url",
    "uri",
    "csrf",
    "charset",
    "alphabet",
    "characters",
    "chars",
    "image",
    "icon",
    "font",
    "svg",
    "d",
    "data",
    "src",
    "href",
    "content",
    "policy",
    "tokenaddress",
    "contract",
    "address",
    "txid",
    "txhash",
    "sourcemap",
    "map",
    "cid",
    "resolved",
    "key_id",
    "expires",
    "expiry",
    "min",
    "max",
    "reset",
    "forgot",
    "class",
    "classname",
    "style",
    "placeholdertext",
    "secretref",
    "secretarn",
    "arn",
    "cert",
    "certificate",
    "modulus",
];

/// What a name says, whatever its notation.
pub fn naming(name: &[u8]) -> Naming {
    // Only the last part of `spring.datasource.password` is the name.
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
    let plain: Vec<u8> = last
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .map(u8::to_ascii_lowercase)
        .collect();
    let has = |words: &[&str]| {
        words
            .iter()
            .any(|word| memchr::memmem::find(&plain, word.as_bytes()).is_some())
    };
    let ends = |words: &[&str]| words.iter().any(|word| plain.ends_with(word.as_bytes()));
    let last_words = [
        "id", "name", "type", "url", "uri", "path", "file", "length", "count", "hash", "label",
        "field", "regex", "pattern", "hint", "policy", "expiry", "error", "message", "text",
        "title",
    ];
    if (ends(PASSWORDS)
        || plain == b"pass"
        || plain.ends_with(b"dbpass")
        || plain.ends_with(b"userpass")
        || last.ends_with(b"_pass")
        || last.ends_with(b"_PASS"))
        && !has(&["forgot", "reset", "confirmation", "placeholder"])
    {
        return Naming::Password;
    }
    if ends(&last_words)
        || HARMLESS.iter().any(|word| {
            if word.len() < 5 {
                plain == word.as_bytes()
            } else {
                memchr::memmem::find(&plain, word.as_bytes()).is_some()
            }
        })
    {
        return Naming::Harmless;
    }
    if has(SECRETS) || plain == b"auth" || last.ends_with(b"_KEY") || last.ends_with(b"_key") {
        return Naming::Secret;
    }
    Naming::Neutral
}

/// Languages in which a value without quotes is an expression.
const SOURCE: &[&str] = &[
    "js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx", "py", "go", "rs", "java", "kt", "c", "h",
    "cc", "cpp", "hpp", "cs", "rb", "php", "swift", "scala", "dart", "lua", "vue", "svelte",
    "html", "css", "scss", "md", "mdx", "map",
];

/// Files whose long strings are hashes.
const LOCKS: &[&str] = &[
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
    "Cargo.lock",
    "go.sum",
    "poetry.lock",
    "uv.lock",
    "Pipfile.lock",
    "composer.lock",
    "Gemfile.lock",
    "flake.lock",
    "deno.lock",
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
        let extension = name
            .rsplit_once('.')
            .map_or("", |(_, extension)| extension)
            .to_ascii_lowercase();
        let lock = LOCKS.contains(&name);
        Self {
            source: SOURCE.contains(&extension.as_str()),
            lock: lock || extension == "map",
        }
    }
}

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
