//! The parts of a multipart upload: how long each is, and whether they are all there.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>

use std::ops::RangeInclusive;

/// Shortest part but the last, in bytes: 5 MiB.
pub const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;
/// Longest part, in bytes: 5 GiB.
pub const MAX_PART_BYTES: u64 = 5 * 1024 * 1024 * 1024;
/// Numbers that parts may have.
pub const PART_NUMBERS: RangeInclusive<u32> = 1..=10_000;

/// How a file is cut into parts of one length, and a last one of what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    size: u64,
    part_size: u64,
}

/// A part that S3 has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its number.
    pub number: u32,
    /// Its bytes.
    pub size: u64,
    /// S3's name for its content.
    pub etag: String,
    /// The checksums that it was sent with, which S3 wants to hear again.
    pub checksum: Option<PartChecksum>,
}

/// A part's checksum, in base 64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartChecksum {
    /// SHA-256.
    Sha256(String),
    /// CRC-64/NVME.
    Crc64Nvme(String),
}

/// Why parts are not a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAFile {
    /// There are none.
    #[error("no part has been uploaded")]
    None,
    /// One is missing before the last.
    #[error("part {0} is missing")]
    Missing(u32),
    /// Together they have another length than was promised.
    #[error("the parts have {found} bytes together, not {promised}")]
    OtherSize {
        /// Their bytes.
        found: u64,
        /// The promised ones.
        promised: u64,
    },
}

impl Parts {
    /// The parts of a file of `size` bytes: of the usual length, which is also what Uppy's uploader takes by itself, the least that S3
    /// allows and that makes no more parts than it allows.
    pub fn usual(size: u64) -> Self {
        Self { size, part_size: size.div_ceil(u64::from(*PART_NUMBERS.end())).max(MIN_PART_BYTES) }
    }

    /// The same of `part_size` bytes each; `None` when S3 does not allow that.
    pub fn of(size: u64, part_size: u64) -> Option<Self> {
        let parts = Self { size, part_size };
        let is_allowed = (MIN_PART_BYTES..=MAX_PART_BYTES).contains(&part_size);
        (is_allowed && parts.count() <= u64::from(*PART_NUMBERS.end())).then_some(parts)
    }

    /// Bytes of each part but the last.
    pub fn part_size(self) -> u64 {
        self.part_size
    }

    /// How many there are. An empty file has one, which is empty.
    pub fn count(self) -> u64 {
        self.size.div_ceil(self.part_size).max(1)
    }

    /// Bytes of the part with this number; `None` when there is none.
    pub fn length(self, number: u32) -> Option<u64> {
        let before = u64::from(number.checked_sub(1)?).checked_mul(self.part_size)?;
        let left = self.size.checked_sub(before)?;
        (left > 0 || number == 1).then_some(left.min(self.part_size))
    }
}

/// Judges the parts that S3 has of a file of `promised` bytes, in the order of their numbers.
///
/// # Errors
/// Why they are not the file.
pub fn check(parts: &[Part], promised: u64) -> Result<(), NotAFile> {
    if parts.is_empty() {
        return Err(NotAFile::None);
    }
    for (expected, part) in (1..).zip(parts) {
        if part.number != expected {
            return Err(NotAFile::Missing(expected));
        }
    }
    let found = parts.iter().fold(0_u64, |sum, part| sum.saturating_add(part.size));
    if found == promised { Ok(()) } else { Err(NotAFile::OtherSize { found, promised }) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(number: u32, size: u64) -> Part {
        Part { number, size, etag: "e".to_owned(), checksum: None }
    }

    #[test]
    fn the_usual_length_is_the_least_that_s3_allows() {
        assert_eq!(Parts::usual(0).part_size(), MIN_PART_BYTES);
        assert_eq!(Parts::usual(MIN_PART_BYTES * 10_000).part_size(), MIN_PART_BYTES);
        assert_eq!(Parts::usual(MIN_PART_BYTES * 10_000 + 1).part_size(), MIN_PART_BYTES + 1);
        assert_eq!(Parts::usual(0).length(1), Some(0));
        assert_eq!(Parts::usual(0).length(2), None);
    }

    #[test]
    fn another_length_must_be_one_that_s3_allows() {
        let size = MIN_PART_BYTES * 20_000;
        assert_eq!(Parts::of(size, MIN_PART_BYTES), None);
        assert!(Parts::of(size, 2 * MIN_PART_BYTES).is_some());
        assert_eq!(Parts::of(1, MIN_PART_BYTES - 1), None);
        assert!(Parts::of(1, MAX_PART_BYTES).is_some());
        assert_eq!(Parts::of(1, MAX_PART_BYTES + 1), None);
    }

    #[test]
    fn parts_are_a_file_when_none_is_missing_and_their_bytes_are_the_promised_ones() {
        assert_eq!(check(&[part(1, 5), part(2, 2)], 7), Ok(()));
        assert_eq!(check(&[part(1, 0)], 0), Ok(()));
        assert_eq!(check(&[], 0), Err(NotAFile::None));
        assert_eq!(check(&[part(2, 7)], 7), Err(NotAFile::Missing(1)));
        assert_eq!(check(&[part(1, 5), part(3, 2)], 7), Err(NotAFile::Missing(2)));
        assert_eq!(check(&[part(1, 5), part(2, 3)], 7), Err(NotAFile::OtherSize { found: 8, promised: 7 }));
        assert_eq!(check(&[part(1, 5)], 7), Err(NotAFile::OtherSize { found: 5, promised: 7 }));
        assert_eq!(
            check(&[part(1, u64::MAX), part(2, 2)], 1),
            Err(NotAFile::OtherSize { found: u64::MAX, promised: 1 })
        );
    }

    proptest! {
        #[test]
        fn the_parts_are_the_file(size in 0..200_u64 * MIN_PART_BYTES, part_size in MIN_PART_BYTES..20 * MIN_PART_BYTES) {
            for parts in [Parts::usual(size), Parts::of(size, part_size).unwrap()] {
                let count = u32::try_from(parts.count()).unwrap();
                let all: Vec<_> = (1..=count).map(|number| part(number, parts.length(number).unwrap())).collect();
                prop_assert_eq!(check(&all, size), Ok(()));
                prop_assert_eq!(parts.length(count + 1), None);
                prop_assert_eq!(parts.length(0), None);
                prop_assert_eq!(parts.length(u32::MAX), None);
            }
        }
    }
}
