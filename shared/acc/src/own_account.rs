//! A service account that a customer brings, as somebody gives it.
use crate::assertion::check_private_key;
use credentials::Secret;

/// Longer than a key of 4096 bits in PEM.
const LONGEST_KEY: usize = 8_192;
const LONGEST_ID: usize = 100;

pub struct OwnAccount {
    pub id: String,
    pub key_id: String,
    pub private_key: Secret,
}

impl OwnAccount {
    /// Everything wrong at once: the member, and what it must be.
    pub fn read(id: &str, key_id: &str, private_key: &str) -> Result<Self, Vec<(&'static str, &'static str)>> {
        let key = Secret::new(private_key);
        let mut wrong: Vec<(&'static str, &'static str)> = [("id", id), ("key_id", key_id)]
            .into_iter()
            .filter(|(_, text)| !is_id(text))
            .map(|(member, _)| (member, "must be an id as Autodesk shows it: 1 to 100 letters, digits and dashes"))
            .collect();
        if private_key.len() > LONGEST_KEY || check_private_key(&key).is_err() {
            let form = "must be the service account's private key in PEM as Autodesk gave it: RSA, at least 2048 bits";
            wrong.push(("private_key", form));
        }
        match wrong.is_empty() {
            true => Ok(Self { id: id.to_owned(), key_id: key_id.to_owned(), private_key: key }),
            false => Err(wrong),
        }
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_ID && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
