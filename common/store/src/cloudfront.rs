//! Signed URLs and cookies of CloudFront. Nothing in them but the path, the time and the key decides what they are, so everybody who signs
//! for the same window makes the same.
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-canned-policy.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::PrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use serde_json::json;
use sha1::Sha1;
use vestibule_domain::id::RoomId;
use vestibule_domain::timestamp::Timestamp;

/// Signs for one distribution. CloudFront takes RSA with SHA-1; what is signed is our own and short, so that
/// SHA-1's collisions do no harm.
pub struct CloudFront {
    domain: String,
    key_pair_id: String,
    key: SigningKey<Sha1>,
}

/// A text that is no private key. It does not quote the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RSA private key in PEM")]
pub struct NoPrivateKey;

/// A cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    /// Its name.
    pub name: &'static str,
    /// Its value: a secret, but for the key's id.
    pub value: String,
}

impl CloudFront {
    /// Signs for `domain` with the private key `pem`, whose public key CloudFront knows under `key_pair_id`.
    ///
    /// # Errors
    /// When it is no RSA key in PKCS#8 or PKCS#1.
    pub fn new(domain: String, key_pair_id: String, pem: &str) -> Result<Self, NoPrivateKey> {
        let key = PrivateKey::from_pkcs8_pem(pem).or_else(|_other| PrivateKey::from_pkcs1_pem(pem));
        Ok(Self { domain, key_pair_id, key: SigningKey::new(key.map_err(|_secret| NoPrivateKey)?) })
    }

    /// A URL of `key` that works until `expires`.
    pub fn url(&self, key: &str, expires: Timestamp) -> String {
        let url = format!("https://{}/{key}", self.domain);
        let signature = self.sign(&policy(&url, expires));
        format!("{url}?Expires={}&Signature={signature}&Key-Pair-Id={}", expires.seconds(), self.key_pair_id)
    }

    /// Cookies with which a browser may read all that is of `room` until `expires`.
    pub fn cookies(&self, room: &RoomId, expires: Timestamp) -> [Cookie; 3] {
        let policy = policy(&format!("https://{}/{room}/*", self.domain), expires);
        let signature = self.sign(&policy);
        [
            Cookie { name: "CloudFront-Policy", value: safe(policy.as_bytes()) },
            Cookie { name: "CloudFront-Signature", value: signature },
            Cookie { name: "CloudFront-Key-Pair-Id", value: self.key_pair_id.clone() },
        ]
    }

    fn sign(&self, policy: &str) -> String {
        safe(&self.key.sign(policy.as_bytes()).to_bytes())
    }
}

/// A policy, without white space: CloudFront makes the canned one itself, and signs must be of the same bytes.
fn policy(resource: &str, expires: Timestamp) -> String {
    let condition = json!({ "DateLessThan": { "AWS:EpochTime": expires.seconds() } });
    // In this order: `Resource` first.
    format!(r#"{{"Statement":[{{"Resource":{},"Condition":{condition}}}]}}"#, json!(resource))
}

/// Base 64 with letters that a URL takes as they are.
fn safe(bytes: &[u8]) -> String {
    STANDARD.encode(bytes).replace('+', "-").replace('=', "_").replace('/', "~")
}

#[cfg(test)]
mod tests {
    use rsa::pkcs1v15::{Signature, VerifyingKey};
    use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
    use rsa::signature::Verifier as _;

    use super::*;

    fn private_key() -> PrivateKey {
        PrivateKey::new(&mut rand::rng(), 1024).unwrap()
    }

    fn signer(key: &PrivateKey) -> CloudFront {
        let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
        CloudFront::new("d111.cloudfront.net".to_owned(), "K2JCJMDEHXQW5F".to_owned(), &pem).unwrap()
    }

    fn bytes(safe: &str) -> Vec<u8> {
        STANDARD.decode(safe.replace('-', "+").replace('_', "=").replace('~', "/")).unwrap()
    }

    fn verified(key: &PrivateKey, policy: &str, signature: &str) -> bool {
        let verifying = VerifyingKey::<Sha1>::new(key.to_public_key());
        verifying.verify(policy.as_bytes(), &Signature::try_from(bytes(signature).as_slice()).unwrap()).is_ok()
    }

    #[test]
    fn a_url_is_signed_under_the_canned_policy_and_is_the_same_for_every_signer() {
        let key = private_key();
        let expires = "2026-11-22T23:00:00.000Z".parse().unwrap();
        let url = signer(&key).url("room/000000000042/a/v/r1/320", expires);
        assert_eq!(signer(&key).url("room/000000000042/a/v/r1/320", expires), url);
        let (resource, query) = url.split_once('?').unwrap();
        assert_eq!(resource, "https://d111.cloudfront.net/room/000000000042/a/v/r1/320");
        let parts: Vec<_> = query.split('&').map(|pair| pair.split_once('=').unwrap()).collect();
        let [("Expires", "1795388400"), ("Signature", signature), ("Key-Pair-Id", "K2JCJMDEHXQW5F")] = parts[..] else {
            panic!("{query}")
        };
        // As the documentation writes it.
        let canned = concat!(
            r#"{"Statement":[{"Resource":"https://d111.cloudfront.net/room/000000000042/a/v/r1/320","#,
            r#""Condition":{"DateLessThan":{"AWS:EpochTime":1795388400}}}]}"#
        );
        assert!(verified(&key, canned, signature));
        assert!(!verified(&private_key(), canned, signature));
    }

    #[test]
    fn cookies_open_one_room_and_no_other() {
        let key = private_key();
        let room = "01jd3v8q0zk5w6x7y8z9abcdef".parse().unwrap();
        let [policy, signature, id] = signer(&key).cookies(&room, "2026-11-22T23:00:00.000Z".parse().unwrap());
        assert_eq!((policy.name, id.value.as_str()), ("CloudFront-Policy", "K2JCJMDEHXQW5F"));
        let policy = String::from_utf8(bytes(&policy.value)).unwrap();
        assert!(policy.contains(r#""https://d111.cloudfront.net/01jd3v8q0zk5w6x7y8z9abcdef/*""#), "{policy}");
        assert!(verified(&key, &policy, &signature.value));
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_quoted() {
        let error = CloudFront::new(String::new(), String::new(), "-----BEGIN secret").err().unwrap();
        assert_eq!(error.to_string(), "not an RSA private key in PEM");
    }
}
