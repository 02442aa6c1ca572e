//! Key files of `PuTTY`.

use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::super::candidate::{Candidate, RANK_FORMAT};
use super::super::rule::Rule;
use super::super::severity::Severity;
use super::der;
use super::pem::{LONGEST, longest_line, malformed};

/// A key file: its private lines, up to its authentication code.
pub fn confirm(rule: &Rule, text: &[u8], at: usize) -> Option<Candidate> {
    let file = &text[at..text.len().min(at + LONGEST)];
    // Another file's start ends this one, so that many starts in a row cost no more than one.
    let file = memchr::memmem::find(&file[1..], b"PuTTY-User-Key-File-").map_or(file, |next| &file[..=next]);
    let head = &file[..file.len().min(4_096)];
    let lines = memchr::memmem::find(head, b"Private-Lines:")?;
    let rest = &file[lines..file.len().min(lines + 16 * 1024)];
    // Without its authentication code the file is cut off.
    let code = memchr::memmem::find(rest, b"Private-MAC:").or_else(|| memchr::memmem::find(rest, b"Private-Hash:"))?;
    let sign = code + memchr::memchr(b':', &rest[code..])?;
    let blanks = rest[sign + 1..].iter().take_while(|byte| **byte == b' ').count();
    let digits = rest[sign + 1 + blanks..]
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let end = lines + sign + 1 + blanks + digits;
    if longest_line(&file[lines..end]) < 24 {
        return None;
    }
    let mut candidate = Candidate::of(&rule.info, at..at + end, RANK_FORMAT);
    let open = memchr::memmem::find(head, b"Encryption: none").is_some();
    if !open {
        candidate.severity = Severity::Medium;
    }
    // The number of lines, then the lines.
    let body = counted(&file[lines + b"Private-Lines:".len()..lines + code]);
    let keys = der::readings(body);
    Some(if !keys.iter().any(|key| key.len() >= 20) {
        malformed(candidate, body)
    } else if open && Signed::read(&file[..end]).is_some_and(|signed| !signed.holds(&keys)) {
        candidate.doubtful()
    } else {
        candidate
    })
}

/// Lines without their number in front.
fn counted(body: &[u8]) -> &[u8] {
    let count = body
        .iter()
        .take_while(|byte| **byte == b' ' || byte.is_ascii_digit())
        .count();
    &body[count..]
}

/// What the authentication code of a file without a passphrase is made of, beside the key itself.
struct Signed<'a> {
    version: u8,
    algorithm: &'a [u8],
    comment: &'a [u8],
    /// The public key, as its lines may be read.
    publics: Vec<Vec<u8>>,
    code: Vec<u8>,
}

impl<'a> Signed<'a> {
    /// The parts; nothing where one of them cannot be told.
    fn read(file: &'a [u8]) -> Option<Self> {
        let start = memchr::memmem::find(file, b"Public-Lines:")? + b"Public-Lines:".len();
        let length = memchr::memmem::find(&file[start..], b"Private-Lines:")?;
        let name = line(file, b"PuTTY-User-Key-File-")?;
        Some(Self {
            version: *name.first().filter(|version| matches!(version, b'2' | b'3'))?,
            algorithm: name.get(2..)?.trim_ascii(),
            comment: line(file, b"Comment:")?,
            publics: der::readings(counted(&file[start..start + length])),
            code: hex::decode(line(file, b"Private-MAC:")?)
                .ok()
                .filter(|code| !code.is_empty())?,
        })
    }

    fn holds(&self, keys: &[Vec<u8>]) -> bool {
        self.publics
            .iter()
            .any(|public| keys.iter().any(|private| self.is_code_of(public, private)))
    }

    fn is_code_of(&self, public: &[u8], private: &[u8]) -> bool {
        let mut signed = Vec::new();
        for field in [self.algorithm, b"none", self.comment, public, private] {
            let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
            signed.extend_from_slice(&length.to_be_bytes());
            signed.extend_from_slice(field);
        }
        if self.version == b'2' {
            let key = Sha1::digest(b"putty-private-key-file-mac-key");
            is_code::<Hmac<Sha1>>(&key, &signed, &self.code)
        } else {
            is_code::<Hmac<Sha256>>(b"", &signed, &self.code)
        }
    }
}

fn is_code<M: Mac + KeyInit>(key: &[u8], signed: &[u8], code: &[u8]) -> bool {
    M::new_from_slice(key).is_ok_and(|mac| mac.chain_update(signed).verify_slice(code).is_ok())
}

/// What stands behind a header on its line, in any notation of line ends.
fn line<'a>(file: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let rest = &file[memchr::memmem::find(file, name)? + name.len()..];
    let length = rest
        .iter()
        .position(|byte| matches!(byte, b'\n' | b'\r' | b'\\' | b'"'));
    Some(rest[..length.unwrap_or(rest.len())].trim_ascii())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;

    use super::*;

    /// A file whose code is made by what its format says, with a line end of one's choice.
    fn file(version: u8, comment: &str, end: &str) -> String {
        let (public, private) = ([7_u8; 51], [9_u8; 36]);
        let signed = [
            b"ssh-ed25519".as_slice(),
            b"none",
            comment.as_bytes(),
            &public,
            &private,
        ]
        .iter()
        .flat_map(|field| [&(field.len() as u32).to_be_bytes(), *field].concat())
        .collect::<Vec<u8>>();
        let code = if version == 2 {
            let key = Sha1::digest(b"putty-private-key-file-mac-key");
            let mac = Hmac::<Sha1>::new_from_slice(&key).unwrap();
            hex::encode(mac.chain_update(&signed).finalize().into_bytes())
        } else {
            let mac = Hmac::<Sha256>::new_from_slice(b"").unwrap();
            hex::encode(mac.chain_update(&signed).finalize().into_bytes())
        };
        let (start, rest) = (BASE64.encode(public), BASE64.encode(private));
        let (one, two) = start.split_at(64);
        [
            &format!("PuTTY-User-Key-File-{version}: ssh-ed25519"),
            "Encryption: none",
            &format!("Comment: {comment}"),
            "Public-Lines: 2",
            one,
            two,
            "Private-Lines: 1",
            &rest,
            &format!("Private-MAC: {code}"),
        ]
        .join(end)
    }

    #[test]
    fn the_code_of_a_file_tells_whether_it_was_changed() {
        for version in [2, 3] {
            for end in ["\n", "\r\n", "\\n"] {
                let file = file(version, "a key", end);
                let holds = |text: &str| {
                    let signed = Signed::read(text.as_bytes()).unwrap();
                    let lines = text.find("Private-Lines: 1").unwrap() + "Private-Lines: 1".len();
                    signed.holds(&der::readings(
                        &text.as_bytes()[lines..text.find("Private-MAC").unwrap()],
                    ))
                };
                assert!(holds(&file), "{file}");
                for (from, to) in [
                    ("a key", "b key"),
                    ("CQkJ", "CQkK"),
                    ("BwcH", "BwcI"),
                    ("ed25519", "ed25518"),
                ] {
                    assert!(!holds(&file.replacen(from, to, 1)), "{from}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_judged() {
        for text in [
            "",
            "PuTTY-User-Key-File-1: ssh-rsa",
            "PuTTY-User-Key-File-3: ssh-rsa\nPrivate-MAC: xyz",
        ] {
            assert!(Signed::read(text.as_bytes()).is_none(), "{text}");
        }
    }
}
