//! Public keys as PEM blocks. What kind of key it is decides the algorithm.

use base64ct::{Base64, Encoding};

use super::key::{Algorithm, Key, PublicKey};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

/// Object identifiers as they stand in a SubjectPublicKeyInfo, by RFC 3279, 5480 and 8410.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const ELLIPTIC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;

/// # Errors
/// The rest of a sentence that begins with the variable's name.
pub fn read(text: &str) -> Result<Vec<Key>, String> {
    let text = text.replace("\\n", "\n");
    let mut keys = Vec::new();
    let mut rest = text.as_str();
    while let Some((_, block)) = rest.split_once(BEGIN) {
        let (block, after) = block.split_once(END).ok_or("has a PEM block that does not end.")?;
        let (label, body) = block.split_once("-----").ok_or("has a PEM block without a label.")?;
        if label != "PUBLIC KEY" {
            return Err(format!(
                "holds a {label}; it needs BEGIN PUBLIC KEY (openssl makes one: openssl pkey -pubin, or -pubout)."
            ));
        }
        let body: String = body.split_whitespace().collect();
        let der = Base64::decode_vec(&body).map_err(|_| "has a PEM block that is not base64.")?;
        let algorithm = algorithm(&der).ok_or("holds a key that is not RSA, P-256 or Ed25519.")?;
        keys.push(Key::public(algorithm, None, PublicKey::Spki(der)));
        rest = after;
    }
    if keys.is_empty() { Err("holds no PEM block (BEGIN PUBLIC KEY).".to_owned()) } else { Ok(keys) }
}

/// `SEQUENCE { SEQUENCE { algorithm, parameters }, … }`
fn algorithm(spki: &[u8]) -> Option<Algorithm> {
    let (info, _) = element(SEQUENCE, spki)?;
    let (identifier, _) = element(SEQUENCE, info)?;
    let (kind, parameters) = element(OBJECT_IDENTIFIER, identifier)?;
    match kind {
        RSA => Some(Algorithm::Rs256),
        ED25519 => Some(Algorithm::EdDsa),
        ELLIPTIC => (element(OBJECT_IDENTIFIER, parameters)?.0 == P256).then_some(Algorithm::Es256),
        _ => None,
    }
}

/// The content of the DER element at the head of `der`, which must have this tag, and what follows it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // The long form: how many bytes, then the length in them. Two hold 64 KB, more than any key.
        0x81 | 0x82 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |length, &byte| length << 8 | usize::from(byte)), rest)
        }
        _ => return None,
    };
    (found == tag).then(|| rest.split_at_checked(length)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519_PEM: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----";
    const P256_PEM: &str = "-----BEGIN PUBLIC KEY-----\\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9\\nq9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==\\n-----END PUBLIC KEY-----";

    fn algorithms(text: &str) -> Result<Vec<Algorithm>, String> {
        Ok(read(text)?.iter().map(|key| key.algorithm).collect())
    }

    #[test]
    fn the_kind_of_key_decides_the_algorithm() {
        assert_eq!(algorithms(ED25519_PEM).unwrap(), [Algorithm::EdDsa]);
        assert_eq!(algorithms(&format!("{P256_PEM}\n{ED25519_PEM}")).unwrap(), [Algorithm::Es256, Algorithm::EdDsa]);
    }

    #[test]
    fn what_is_no_public_key_is_named() {
        assert!(algorithms("hello").unwrap_err().contains("no PEM block"));
        assert!(
            algorithms("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")
                .unwrap_err()
                .contains("CERTIFICATE")
        );
        assert!(algorithms("-----BEGIN PUBLIC KEY-----\n*\n-----END PUBLIC KEY-----").unwrap_err().contains("base64"));
        assert!(
            algorithms("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----").unwrap_err().contains("not RSA")
        );
        assert!(algorithms("-----BEGIN PUBLIC KEY-----\n").unwrap_err().contains("does not end"));
    }
}
