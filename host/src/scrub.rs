//! Taking secrets out of an answer.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// What stands where a secret was.
const MARK: &[u8] = b"[secret]";

/// The forms in which a server may repeat a secret: as it is, without its scheme (`Bearer …`), in
/// base64, percent-encoded, in JSON. A server that means to give a secret away can always do so in
/// a form of its own: whoever is sent a secret is trusted with it.
#[derive(Default)]
pub(crate) struct Scrub(Vec<Vec<u8>>);

impl Scrub {
    /// Also takes out this secret.
    pub(crate) fn add(&mut self, secret: &str) {
        let bare = secret.split_once(' ').map_or(secret, |(_scheme, rest)| rest.trim());
        for text in [secret, bare] {
            let percent: String = text
                .bytes()
                .map(|byte| match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                        char::from(byte).to_string()
                    }
                    _ => format!("%{byte:02X}"),
                })
                .collect();
            let json = serde_json::to_string(text).unwrap_or_default();
            self.0.extend([
                text.as_bytes().to_vec(),
                percent.to_lowercase().into_bytes(),
                percent.into_bytes(),
                json.trim_matches('"').as_bytes().to_vec(),
                STANDARD_NO_PAD.encode(text).into_bytes(),
                URL_SAFE_NO_PAD.encode(text).into_bytes(),
            ]);
        }
        // `Basic` is base64 already; its user and password may be told apart.
        if let Some(plain) = STANDARD.decode(bare).ok().and_then(|p| String::from_utf8(p).ok())
            && let Some((_user, password)) = plain.split_once(':')
            && password.len() >= 4
        {
            self.0.push(password.as_bytes().to_vec());
            self.0.push(plain.into_bytes());
        }
        self.0.retain(|form| !form.is_empty());
        // The longest first, or a part would be taken out of a whole.
        self.0.sort_by_key(|form| std::cmp::Reverse(form.len()));
        self.0.dedup();
    }

    /// The bytes without the secrets.
    pub(crate) fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        if !self.0.iter().any(|form| contains(&bytes, form)) {
            return bytes;
        }
        let (mut clean, mut rest) = (Vec::with_capacity(bytes.len()), bytes.as_slice());
        while let Some(first) = rest.first() {
            match self.0.iter().find(|form| rest.starts_with(form)) {
                Some(form) => {
                    clean.extend_from_slice(MARK);
                    rest = &rest[form.len()..];
                }
                None => {
                    clean.push(*first);
                    rest = &rest[1..];
                }
            }
        }
        clean
    }

    /// The text without the secrets.
    pub(crate) fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes().to_vec())).into_owned()
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_taken_out_in_every_form() {
        let mut scrub = Scrub::default();
        scrub.add("Bearer s3cr3t+/\"token");
        for echo in [
            "Authorization: Bearer s3cr3t+/\"token",
            "token is s3cr3t+/\"token.",
            "{\"token\": \"s3cr3t+/\\\"token\"}",
            "?token=s3cr3t%2B%2F%22token",
            "?token=s3cr3t%2b%2f%22token",
            &STANDARD.encode("s3cr3t+/\"token"),
        ] {
            let clean = scrub.text(echo);
            assert!(clean.contains("[secret]"), "{echo} -> {clean}");
            assert!(!clean.contains("s3cr3t"), "{echo} -> {clean}");
        }
        assert_eq!(scrub.text("nothing here"), "nothing here");
    }

    #[test]
    fn a_password_is_taken_out_of_its_basic_form() {
        let mut scrub = Scrub::default();
        scrub.add(&format!("Basic {}", STANDARD.encode("user:pass-word")));
        assert_eq!(scrub.text("the password pass-word is wrong"), "the password [secret] is wrong");
    }
}
