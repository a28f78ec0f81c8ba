//! Leave for one form upload (presigned POST): a policy that S3 checks, signed. The SDK has none, so the policy is built here and
//! signed with the parts that the SDK's own signer is made of.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html>

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use vestibule_domain::timestamp::Timestamp;

/// What a form may upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form<'a> {
    /// The bucket.
    pub(crate) bucket: &'a str,
    /// The exact key.
    pub(crate) key: &'a str,
    /// The exact length, in bytes.
    pub(crate) size: u64,
    /// The exact content type.
    pub(crate) content_type: &'a str,
    /// Metadata, exact, by name without `x-amz-meta-`.
    pub(crate) metadata: &'a BTreeMap<String, String>,
    /// Until when the upload may begin.
    pub(crate) expires: Timestamp,
}

/// The form's fields, but for the file, which comes last.
pub(crate) fn fields(
    form: &Form<'_>,
    credentials: &Credentials,
    region: &str,
    now: Timestamp,
) -> BTreeMap<String, String> {
    let mut fields: BTreeMap<String, String> = [
        ("bucket", form.bucket.to_owned()),
        ("key", form.key.to_owned()),
        ("content-type", form.content_type.to_owned()),
        ("success_action_status", "201".to_owned()),
    ]
    .into_iter()
    .chain(signing_fields(credentials, region, now))
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    fields.extend(form.metadata.iter().map(|(name, value)| (format!("x-amz-meta-{name}"), value.clone())));
    let mut conditions: Vec<Value> = fields.iter().map(|(name, value)| json!({ name: value })).collect();
    conditions.push(json!(["content-length-range", form.size, form.size]));
    let policy = json!({ "expiration": form.expires.to_string(), "conditions": conditions });
    sign(&mut fields, &STANDARD.encode(policy.to_string()), credentials, region, now);
    fields
}

fn signing_fields(
    credentials: &Credentials,
    region: &str,
    now: Timestamp,
) -> impl Iterator<Item = (&'static str, String)> {
    let (date, time) = amz_date(now);
    let scope = format!("{}/{date}/{region}/s3/aws4_request", credentials.access_key_id());
    let mut fields =
        vec![("x-amz-algorithm", "AWS4-HMAC-SHA256".to_owned()), ("x-amz-credential", scope), ("x-amz-date", time)];
    if let Some(token) = credentials.session_token() {
        fields.push(("x-amz-security-token", token.to_owned()));
    }
    fields.into_iter()
}

/// Adds a policy in base 64 and its signature.
fn sign(fields: &mut BTreeMap<String, String>, policy: &str, credentials: &Credentials, region: &str, now: Timestamp) {
    let key = generate_signing_key(credentials.secret_access_key(), system_time(now), region, "s3");
    fields.insert("x-amz-signature".to_owned(), calculate_signature(key, policy.as_bytes()));
    fields.insert("policy".to_owned(), policy.to_owned());
}

/// `20151229` and `20151229T000000Z`.
fn amz_date(moment: Timestamp) -> (String, String) {
    // `2015-12-29T00:00:00.000Z`
    let text = moment.to_string().replace(['-', ':'], "");
    let date = text.get(..8).unwrap_or_default().to_owned();
    (date, format!("{}Z", text.get(..15).unwrap_or_default()))
}

fn system_time(moment: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(moment.millis()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that AWS has published, to the letter of its policy.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html>
    #[test]
    fn the_signature_of_the_published_example_is_the_published_one() {
        let policy = concat!(
            "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6",
            "ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFj",
            "bCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tl",
            "dC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5",
            "cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZl",
            "ci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoN",
            "CiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVx",
            "dWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAx",
            "NTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9"
        );
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", secret, None, None, "test");
        let now = "2015-12-29T00:00:00.000Z".parse().unwrap();
        let mut fields: BTreeMap<String, String> =
            signing_fields(&credentials, "us-east-1", now).map(|(name, value)| (name.to_owned(), value)).collect();
        sign(&mut fields, policy, &credentials, "us-east-1", now);
        assert_eq!(fields["x-amz-credential"], "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request");
        assert_eq!(fields["x-amz-date"], "20151229T000000Z");
        assert_eq!(fields["x-amz-signature"], "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e");
    }

    #[test]
    fn every_field_is_in_the_policy_exactly_and_the_length_too() {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("session".to_owned()), None, "test");
        let metadata = BTreeMap::from([("note".to_owned(), "x".to_owned())]);
        let form = Form {
            bucket: "inbox",
            key: "room/000000000042/a",
            size: 3,
            content_type: "image/jpeg",
            metadata: &metadata,
            expires: "2026-11-22T22:50:14.000Z".parse().unwrap(),
        };
        let fields = fields(&form, &credentials, "eu-central-1", "2026-11-22T22:35:14.000Z".parse().unwrap());
        let policy: Value = serde_json::from_slice(&STANDARD.decode(&fields["policy"]).unwrap()).unwrap();
        assert_eq!(policy["expiration"], "2026-11-22T22:50:14.000Z");
        let conditions = policy["conditions"].as_array().unwrap();
        assert!(conditions.contains(&json!(["content-length-range", 3, 3])));
        for (name, value) in fields.iter().filter(|(name, _)| !matches!(name.as_str(), "policy" | "x-amz-signature")) {
            assert!(conditions.contains(&json!({ name: value })), "{name}");
        }
        assert_eq!(conditions.len(), fields.len() - 2 + 1);
        assert_eq!(fields["x-amz-security-token"], "session");
        assert_eq!(fields["x-amz-meta-note"], "x");
    }
}
