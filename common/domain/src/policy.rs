//! What may come in: every limit in one place, inclusive, with its default.

use crate::admission::Admission;
use crate::rejection::{Rejection, RejectionCode};

/// Most attachments of one message.
pub const MAX_ATTACHMENTS: usize = 20;
/// Longest text of a message, in bytes of UTF-8. Twenty entries of 1.5 KB and this stay far under DynamoDB's 400 KB.
pub const MAX_TEXT_BYTES: usize = 32 * 1024;
/// Longest file name, in bytes of UTF-8: what common file systems allow.
pub const MAX_NAME_BYTES: usize = 255;
/// Largest accepted upload by default: 5 GiB (`MAX_UPLOAD_BYTES`), which is also what one S3 PUT takes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
pub const DEFAULT_MAX_UPLOAD_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// Limits on what is looked at inside a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InspectLimits {
    /// Largest accepted file, in bytes (`MAX_UPLOAD_BYTES`).
    pub max_upload_bytes: u64,
    /// Largest picture or document that is read whole, in bytes (`MAX_IMAGE_BYTES`).
    pub max_image_bytes: u64,
    /// Most pixels of one picture or frame, as width × height (`MAX_PIXELS`).
    pub max_pixels: u64,
    /// Most frames of an animation (`MAX_FRAMES`).
    pub max_frames: u32,
    /// Most entries of a zip archive (`MAX_ARCHIVE_ENTRIES`).
    pub max_archive_entries: u64,
    /// Most bytes that a zip archive unpacks to, by its directory (`MAX_ARCHIVE_BYTES`).
    pub max_archive_bytes: u64,
    /// How many times its own size a zip archive may unpack to (`MAX_ARCHIVE_RATIO`), when it is more than
    /// [`SMALL_ARCHIVE_BYTES`]. Deflate makes at most 1,032 of one; logs and sheets, the best that honest archives do, make some
    /// dozens.
    pub max_archive_ratio: u64,
}

/// Up to this, an archive may unpack to whatever it says: 64 MiB harm nobody.
pub const SMALL_ARCHIVE_BYTES: u64 = 64 * 1024 * 1024;

/// What may come in, and what is looked at to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InspectPolicy {
    /// Limits.
    pub limits: InspectLimits,
    /// Types.
    pub admission: Admission,
    /// Encrypted files.
    pub encrypted: EncryptedFiles,
}

/// What becomes of files that are encrypted, so that nobody can look into them (`ENCRYPTED_FILES`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EncryptedFiles {
    /// They do not come in.
    #[default]
    Refuse,
    /// They do.
    Accept,
}

impl Default for InspectLimits {
    fn default() -> Self {
        Self {
            max_upload_bytes: DEFAULT_MAX_UPLOAD_BYTES,
            max_image_bytes: 128 * 1024 * 1024,
            max_pixels: 50_000_000,
            max_frames: 1000,
            max_archive_entries: 10_000,
            max_archive_bytes: 10 * 1024 * 1024 * 1024,
            max_archive_ratio: 200,
        }
    }
}

/// Judges a file by its length alone: `actual` bytes arrived where `promised` were announced and `max` are allowed.
///
/// # Errors
/// The refusal, the first that holds of: empty, too large, size mismatch.
pub fn check_size(actual: u64, promised: u64, max: u64) -> Result<(), Rejection> {
    if actual == 0 {
        return Err(RejectionCode::Empty.into());
    }
    if actual > max {
        return Err(RejectionCode::TooLarge.into());
    }
    if actual != promised {
        return Err(RejectionCode::SizeMismatch.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(actual: u64, promised: u64, max: u64) -> Option<RejectionCode> {
        check_size(actual, promised, max).err().map(|rejection| rejection.code)
    }

    #[test]
    fn limits_are_inclusive() {
        assert_eq!(code(9, 9, 10), None);
        assert_eq!(code(10, 10, 10), None);
        assert_eq!(code(11, 11, 10), Some(RejectionCode::TooLarge));
    }

    #[test]
    fn the_length_must_be_the_promised_one() {
        assert_eq!(code(9, 8, 10), Some(RejectionCode::SizeMismatch));
        assert_eq!(code(9, 10, 10), Some(RejectionCode::SizeMismatch));
        assert_eq!(code(0, 0, 10), Some(RejectionCode::Empty));
        assert_eq!(code(0, 5, 10), Some(RejectionCode::Empty));
    }
}
