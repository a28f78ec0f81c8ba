//! Signs URLs and forms: one upload into the inbox, or one download out of the processed bucket. Signing is arithmetic, not a call.
//!
//! A signed URL works many times until it expires, and carries whatever its signer may do: it is a secret, and no type here
//! can be printed.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use base64::Engine as _;
use vestibule_domain::attachment::Promise;
use vestibule_domain::key::InboxKey;
use vestibule_domain::timestamp::Timestamp;

use crate::error::StoreError;
use crate::post_policy::{self, Form};

/// How long a session lasts at the least of which nobody says when it ends, in seconds: Lambda renews a function's long before its end.
const SESSION_SECONDS: i64 = 900;

/// Signs for two buckets.
#[derive(Clone)]
pub struct SignedUrls {
    pub(crate) client: Client,
    credentials: SharedCredentialsProvider,
    pub(crate) inbox: String,
    processed: String,
    pub(crate) upload_seconds: u32,
}

/// Leave to upload one file by a form, as often as it is sent until it expires: S3 takes no condition with a form.
pub struct FormUpload {
    /// Where to POST the form; ends in `/`.
    pub url: String,
    /// The fields before the file, by name.
    pub fields: BTreeMap<String, String>,
    /// Until when the upload may begin.
    pub expires: Timestamp,
}

/// Leave to upload one file, once: with `if-none-match: *`, S3 refuses a second object under the key while there is one.
pub struct Upload {
    /// Where to PUT the bytes.
    pub url: String,
    /// What to send with them, by name in lower case. The signature covers each.
    pub headers: BTreeMap<String, String>,
    /// Until when the upload may begin.
    pub expires: Timestamp,
}

/// Leave to download one object.
#[derive(Clone)]
pub struct Download {
    /// Where to GET it.
    pub url: String,
    /// Until when.
    pub expires: Timestamp,
}

impl SignedUrls {
    /// Signs as `client`, whose `credentials` these are, for the buckets `inbox` and `processed`. Uploads may begin for
    /// `upload_seconds`, and no longer than the credentials last.
    pub fn new(
        client: &Client,
        credentials: SharedCredentialsProvider,
        inbox: String,
        processed: String,
        upload_seconds: u32,
    ) -> Self {
        // By default the SDK would promise a CRC of a body that it has not seen.
        let config = client.config().to_builder();
        let config = config.request_checksum_calculation(RequestChecksumCalculation::WhenRequired).build();
        Self { client: Client::from_conf(config), credentials, inbox, processed, upload_seconds }
    }

    /// The bucket that uploads go to.
    pub fn inbox(&self) -> &str {
        &self.inbox
    }

    /// Where the inbox's objects are, without a signature; ends in `/`.
    ///
    /// # Errors
    /// [`StoreError`], when there are no credentials to sign with: the SDK tells only with a signature.
    pub async fn inbox_url(&self, key: &InboxKey, now: Timestamp) -> Result<String, StoreError> {
        const OPERATION: &str = "presigning GetObject of the inbox";
        let get = self.client.get_object().bucket(&self.inbox).key(key.to_string());
        let request = get.presigned(config(OPERATION, 1, now)?).await;
        let request = request.map_err(|error| StoreError::classify(OPERATION, error))?;
        let url = request.uri().split('?').next().unwrap_or_default();
        let base = url.strip_suffix(&key.to_string());
        base.map(ToOwned::to_owned).ok_or_else(|| StoreError::unreadable(OPERATION, "a URL without its key"))
    }

    /// One form upload of exactly the promised bytes under `key`, with `metadata`, by name.
    ///
    /// # Errors
    /// [`StoreError`], when there are no credentials to sign with.
    pub async fn form(
        &self,
        key: &InboxKey,
        promise: &Promise,
        metadata: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<FormUpload, StoreError> {
        const OPERATION: &str = "signing a form";
        let credentials = self.credentials.provide_credentials().await;
        let credentials = credentials.map_err(|source| StoreError::unreadable(OPERATION, source))?;
        let region = self.client.config().region().map(ToString::to_string);
        let region = region.ok_or_else(|| StoreError::unreadable(OPERATION, "no region"))?;
        let expires = now.plus_seconds(self.upload_seconds.into());
        let form = Form {
            bucket: &self.inbox,
            key: &key.to_string(),
            size: promise.size,
            content_type: promise.declared_type.as_str(),
            metadata,
            expires,
        };
        let fields = post_policy::fields(&form, &credentials, &region, now);
        Ok(FormUpload { url: self.inbox_url(key, now).await?, fields, expires })
    }

    /// One PUT of exactly the promised bytes under `key`.
    ///
    /// # Errors
    /// [`StoreError`], when there are no credentials to sign with.
    pub async fn upload(&self, key: &InboxKey, promise: &Promise, now: Timestamp) -> Result<Upload, StoreError> {
        const OPERATION: &str = "presigning PutObject into the inbox";
        let length = i64::try_from(promise.size).map_err(|source| StoreError::unreadable(OPERATION, source))?;
        let mut put = self.client.put_object().bucket(&self.inbox).key(key.to_string());
        put = put.content_length(length).content_type(promise.declared_type.as_str()).if_none_match("*");
        if let Some(digest) = &promise.declared_sha256 {
            put = put.checksum_sha256(base64::engine::general_purpose::STANDARD.encode(digest.as_bytes()));
        }
        let request = put.presigned(config(OPERATION, self.upload_seconds, now)?).await;
        let request = request.map_err(|error| StoreError::classify(OPERATION, error))?;
        Ok(Upload {
            url: request.uri().to_owned(),
            headers: headers(&request),
            expires: now.plus_seconds(self.upload_seconds.into()),
        })
    }

    /// One GET of the object `key` of the processed bucket, until `expires` or until the signer's session is over.
    ///
    /// # Errors
    /// [`StoreError`], when there are no credentials to sign with.
    pub async fn download_until(&self, key: &str, now: Timestamp, expires: Timestamp) -> Result<Download, StoreError> {
        const OPERATION: &str = "presigning GetObject of the processed bucket";
        let credentials = self.credentials.provide_credentials().await;
        let credentials = credentials.map_err(|source| StoreError::unreadable(OPERATION, source))?;
        let session = credentials.expiry().and_then(|end| end.duration_since(UNIX_EPOCH).ok());
        let session = session.and_then(|end| Some(Timestamp::from_millis(i64::try_from(end.as_millis()).ok()?)));
        // A function is told its session by the environment, which does not say when it ends.
        let unsaid = credentials.session_token().map(|_session| now.plus_seconds(SESSION_SECONDS));
        let expires = session.or(unsaid).map_or(expires, |end| end.min(expires));
        let seconds = u32::try_from(expires.seconds().saturating_sub(now.seconds()).max(1)).unwrap_or(u32::MAX);
        let get = self.client.get_object().bucket(&self.processed).key(key);
        let request = get.presigned(config(OPERATION, seconds, now)?).await;
        let request = request.map_err(|error| StoreError::classify(OPERATION, error))?;
        Ok(Download { url: request.uri().to_owned(), expires: now.plus_seconds(seconds.into()) })
    }
}

pub(crate) fn config(operation: &'static str, seconds: u32, now: Timestamp) -> Result<PresigningConfig, StoreError> {
    let start = UNIX_EPOCH + Duration::from_millis(u64::try_from(now.millis()).unwrap_or(0));
    PresigningConfig::builder()
        .start_time(start)
        .expires_in(Duration::from_secs(seconds.into()))
        .build()
        .map_err(|source| StoreError::unreadable(operation, source))
}

pub(crate) fn headers(request: &PresignedRequest) -> BTreeMap<String, String> {
    request.headers().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
    use vestibule_domain::digest::Sha256Digest;
    use vestibule_domain::parts::PartChecksum;

    use super::*;

    fn signer() -> SignedUrls {
        let end = UNIX_EPOCH + Duration::from_hours(498_719);
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("session".to_owned()), Some(end), "test");
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(credentials.clone())
            .build();
        let credentials = SharedCredentialsProvider::new(credentials);
        let client = Client::from_conf(config);
        SignedUrls::new(&client, credentials, "inbox".to_owned(), "processed".to_owned(), 900)
    }

    fn promise(sha256: Option<Sha256Digest>) -> Promise {
        Promise {
            id: "01jd3v8q0zk5w6x7y8z9abcdeg".parse().unwrap(),
            name: "photo.jpg".to_owned(),
            size: 3,
            declared_type: "image/jpeg".parse().unwrap(),
            declared_sha256: sha256,
            created_at: now(),
        }
    }

    fn now() -> Timestamp {
        "2026-11-22T22:35:14.000Z".parse().unwrap()
    }

    fn key() -> InboxKey {
        "01jd3v8q0zk5w6x7y8z9abcdef/000000000042/01jd3v8q0zk5w6x7y8z9abcdeg".parse().unwrap()
    }

    fn query(url: &str) -> BTreeMap<&str, &str> {
        let (_, query) = url.split_once('?').unwrap();
        query.split('&').map(|pair| pair.split_once('=').unwrap()).collect()
    }

    #[tokio::test]
    async fn an_upload_is_signed_for_its_length_type_and_digest_and_for_an_empty_place() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".parse().unwrap();
        let upload = signer().upload(&key(), &promise(Some(digest)), now()).await.unwrap();
        let query = query(&upload.url);
        assert_eq!(
            query["X-Amz-SignedHeaders"],
            "content-length%3Bcontent-type%3Bhost%3Bif-none-match%3Bx-amz-checksum-sha256"
        );
        assert_eq!(query["X-Amz-Expires"], "900");
        assert_eq!(query["X-Amz-Date"], "20261122T223514Z");
        let headers: Vec<_> = upload.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            headers,
            [
                ("content-length", "3"),
                ("content-type", "image/jpeg"),
                ("if-none-match", "*"),
                ("x-amz-checksum-sha256", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
            ]
        );
        assert_eq!(upload.expires.to_string(), "2026-11-22T22:50:14.000Z");
    }

    #[tokio::test]
    async fn a_signature_promises_nothing_that_the_client_did_not_say() {
        let upload = signer().upload(&key(), &promise(None), now()).await.unwrap();
        let query = query(&upload.url);
        assert_eq!(query["X-Amz-SignedHeaders"], "content-length%3Bcontent-type%3Bhost%3Bif-none-match");
        let allowed = [
            "X-Amz-Algorithm",
            "X-Amz-Content-Sha256",
            "X-Amz-Credential",
            "X-Amz-Date",
            "X-Amz-Expires",
            "X-Amz-Security-Token",
            "X-Amz-Signature",
            "X-Amz-SignedHeaders",
            "x-id",
        ];
        for name in query.keys() {
            assert!(allowed.contains(name), "{name} in {}", upload.url);
        }
        let url = upload.url.to_ascii_lowercase();
        for word in ["checksum", "crc", "tagging", "acl"] {
            assert!(!url.contains(word), "{word} in {url}");
        }
    }

    #[tokio::test]
    async fn an_empty_file_can_be_uploaded_so_that_it_can_be_refused() {
        let empty = Promise { size: 0, ..promise(None) };
        let upload = signer().upload(&key(), &empty, now()).await.unwrap();
        assert_eq!(upload.headers["content-length"], "0");
        assert!(upload.url.contains("content-length%3B"));
    }

    #[tokio::test]
    async fn a_part_is_signed_for_its_number_upload_and_length() {
        let sum = PartChecksum::Sha256("c3Vt".to_owned());
        let part = signer().part(&key(), "upload-1", (7, 5_242_880), Some(&sum), now()).await.unwrap();
        let query = query(&part.url);
        assert_eq!((query["partNumber"], query["uploadId"]), ("7", "upload-1"));
        assert_eq!(query["X-Amz-SignedHeaders"], "content-length%3Bhost%3Bx-amz-checksum-sha256");
        assert_eq!(part.headers["content-length"], "5242880");
        let part = signer().part(&key(), "upload-1", (7, 1), None, now()).await.unwrap();
        assert_eq!(super::tests::query(&part.url)["X-Amz-SignedHeaders"], "content-length%3Bhost");
    }

    #[tokio::test]
    async fn a_form_goes_to_the_bucket_and_its_location_is_url_and_key() {
        let form = signer().form(&key(), &promise(None), &BTreeMap::new(), now()).await.unwrap();
        assert_eq!(form.url, "https://inbox.s3.eu-central-1.amazonaws.com/");
        assert_eq!(form.fields["key"], key().to_string());
        assert_eq!(form.fields["x-amz-credential"], "AKIDEXAMPLE/20261122/eu-central-1/s3/aws4_request");
        assert_eq!(form.expires.to_string(), "2026-11-22T22:50:14.000Z");
    }

    #[tokio::test]
    async fn a_download_is_signed_for_one_object_until_its_time_or_the_end_of_the_session() {
        let until = |seconds| now().plus_seconds(seconds);
        let download = signer().download_until("room/000000000042/a/v/original", now(), until(300)).await.unwrap();
        assert!(
            download.url.starts_with("https://processed.s3.eu-central-1.amazonaws.com/room/000000000042/a/v/original?")
        );
        assert_eq!(query(&download.url)["X-Amz-Expires"], "300");
        assert_eq!(query(&download.url)["X-Amz-SignedHeaders"], "host");
        assert_eq!(download.expires.to_string(), "2026-11-22T22:40:14.000Z");
        let longer = signer().download_until("room/000000000042/a/v/original", now(), until(36_000)).await.unwrap();
        assert_eq!(longer.expires.to_string(), "2026-11-22T23:00:00.000Z");
    }
}
