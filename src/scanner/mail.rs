//! Mails whose lines are cut with `=` and whose signs stand as `=3D`, which is called quoted-printable (RFC 2045, 6.7).

use super::candidate::Candidate;
use super::engine::Scanner;
use super::escaped::Plain;
use super::place::Place;
use super::search::Search;

/// How much is read at once; longer texts are read in pieces that overlap.
const PIECE: usize = 16 * 1024;
const OVERLAP: usize = 1024;
/// What a mail says of itself, in any case.
const SAID: [&[u8]; 2] = [b"quoted-printable", b"Quoted-Printable"];

impl Scanner {
    /// What lines hide that go on in the next one.
    pub(super) fn mail(&self, text: &[u8], place: Place, out: &mut Vec<Candidate>) {
        if !place.prose || !place.escapes {
            return;
        }
        let says_so = || SAID.iter().any(|said| memchr::memmem::find(text, said).is_some());
        let inner = Place {
            escapes: false,
            ..place
        };
        let mut read = 0;
        for at in memchr::memchr_iter(b'=', text) {
            if at < read || escape(&text[at..]).is_none() {
                continue;
            }
            if read == 0 && !says_so() {
                return;
            }
            let start = at.saturating_sub(OVERLAP);
            let end = text.len().min(start + PIECE);
            // What the end cuts is read again.
            read = if end < text.len() { end - OVERLAP } else { end };
            let plain = Plain::of(&text[start..end], &|text| memchr::memchr(b'=', text), &escape);
            for one in Search::run(self, &plain.text, inner) {
                let span = plain.span(&one.span);
                // What has no escape in and around it was found before.
                if plain.touches(&one.span) {
                    let span = start + span.start..start + span.end;
                    out.push(Candidate { span, ..one });
                }
            }
        }
    }
}

/// What stands for a sign, or for nothing at the end of a line, and its length.
fn escape(text: &[u8]) -> Option<(Option<u8>, usize)> {
    match text {
        [b'=', b'\n', ..] => Some((None, 2)),
        [b'=', b'\r', b'\n', ..] => Some((None, 3)),
        [b'=', first, second, ..] if !first.is_ascii_lowercase() && !second.is_ascii_lowercase() => {
            let mut byte = [0];
            hex::decode_to_slice([*first, *second], &mut byte).ok()?;
            matches!(byte[0], b' '..=b'~').then_some((Some(byte[0]), 3))
        }
        _ => None,
    }
}
