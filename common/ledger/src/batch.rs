//! An object of the raw archive: the records of one batch as lines of JSON, compressed, under a name that says what is in it.

use std::io::Read as _;

use sha2::{Digest, Sha256};
use vestibule_domain::timestamp::Timestamp;

use crate::record::{BadLine, Record};

/// Where raw records lie in the archive.
pub const PREFIX: &str = "raw/";
/// zstd's own default. Higher levels take many times as long for a few per cent.
const LEVEL: i32 = 3;
/// Most bytes that an object is unpacked to: 10,000 changes with two images of 400 KB are the most that a batch could hold, but
/// Lambda hands over at most 6 MB at a time, which unfolded into plain JSON only gets smaller.
pub const MAX_LINES_BYTES: u64 = 64 * 1024 * 1024;

/// An object to put into the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Its key.
    pub key: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What went wrong with an object.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// A line could not be written.
    #[error("a record cannot be written")]
    Line(#[source] serde_json::Error),
    /// The compressor failed.
    #[error("the lines cannot be compressed or unpacked")]
    Zstd(#[from] std::io::Error),
    /// Its lines are more than [`MAX_LINES_BYTES`].
    #[error("its lines are more than {MAX_LINES_BYTES} bytes")]
    TooLong,
    /// A line is no record.
    #[error("line {number} is no record")]
    BadLine {
        /// The line, from 1.
        number: usize,
        /// Why.
        #[source]
        source: BadLine,
    },
    /// The lines are not text.
    #[error("the lines are not UTF-8")]
    NotText(#[from] std::string::FromUtf8Error),
}

/// Packs the records of a batch, in their order; `None` when there are none.
///
/// The key holds the hour of the first record, the first and the last sequence number, and a digest of the lines. So the same batch
/// delivered again has the same key, and a batch that was split otherwise has another: nothing can be written over something else.
///
/// # Errors
/// When a record cannot be written, there are more bytes of lines than would be read back, or the compressor fails.
pub fn pack(records: &[Record]) -> Result<Option<Packed>, BatchError> {
    let (Some(first), Some(last)) = (records.first(), records.last()) else { return Ok(None) };
    let mut lines = String::new();
    for record in records {
        lines.push_str(&record.to_line().map_err(BatchError::Line)?);
        lines.push('\n');
    }
    if lines.len() as u64 > MAX_LINES_BYTES {
        return Err(BatchError::TooLong);
    }
    let digest = hex::encode(Sha256::digest(&lines));
    let digest = digest.get(..16).unwrap_or(&digest);
    let key = format!("{}{}-{}-{digest}.jsonl.zst", hour_of(first.time), first.sequence, last.sequence);
    Ok(Some(Packed { key, bytes: compress(lines.as_bytes())? }))
}

/// What the keys of the hour of `time` begin with, such as `raw/dt=2026-11-22/hour=22/`. They are in the order of their hours.
pub fn hour_of(time: Timestamp) -> String {
    // `2026-11-22T22:35:14.123Z`
    let time = time.to_string();
    let (day, hour) = (time.get(..10).unwrap_or_default(), time.get(11..13).unwrap_or_default());
    format!("{PREFIX}dt={day}/hour={hour}/")
}

fn compress(lines: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.set_pledged_src_size(Some(lines.len() as u64))?;
    std::io::Write::write_all(&mut encoder, lines)?;
    encoder.finish()
}

/// Reads an object's records, in their order.
///
/// # Errors
/// When it is no object of ours, or was changed.
pub fn unpack(bytes: &[u8]) -> Result<Vec<Record>, BatchError> {
    let mut lines = Vec::new();
    zstd::Decoder::new(bytes)?.take(MAX_LINES_BYTES + 1).read_to_end(&mut lines)?;
    if lines.len() as u64 > MAX_LINES_BYTES {
        return Err(BatchError::TooLong);
    }
    let lines = String::from_utf8(lines)?;
    let read = |(at, line): (usize, &str)| {
        Record::from_line(line).map_err(|source| BatchError::BadLine { number: at + 1, source })
    };
    lines.lines().enumerate().map(read).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::record::tests::change;

    fn records(versions: std::ops::RangeInclusive<u64>) -> Vec<Record> {
        versions.map(|ver| Record::of(change(ver)).unwrap()).collect()
    }

    #[test]
    fn a_key_says_when_and_what() {
        let packed = pack(&records(1..=3)).unwrap().unwrap();
        let digest = packed.key.rsplit('-').next().unwrap().strip_suffix(".jsonl.zst").unwrap();
        assert_eq!(digest.len(), 16);
        let begin = "raw/dt=2026-11-22/hour=22/442158450000000001745000001-442158450000000001745000003-";
        assert!(packed.key.starts_with(begin), "{}", packed.key);
        assert_eq!(pack(&records(1..=3)).unwrap().unwrap(), packed);
        assert_eq!(pack(&[]).unwrap(), None);
    }

    #[test]
    fn other_records_between_the_same_ends_have_another_key() {
        let whole = records(1..=3);
        let gap: Vec<Record> = whole.iter().filter(|record| record.ver != 2).cloned().collect();
        assert_ne!(pack(&whole).unwrap().unwrap().key, pack(&gap).unwrap().unwrap().key);
    }

    #[test]
    fn a_changed_object_is_not_read() {
        let mut bytes = pack(&records(1..=3)).unwrap().unwrap().bytes;
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        assert!(unpack(&bytes).is_err());
        assert!(unpack(b"not zstd").is_err());
        assert!(matches!(unpack(&compress(b"{}\n").unwrap()), Err(BatchError::BadLine { number: 1, .. })));
    }

    #[test]
    fn a_bomb_is_read_up_to_the_limit_only() {
        let bomb = compress(&vec![b' '; usize::try_from(MAX_LINES_BYTES).unwrap() + 1]).unwrap();
        assert!(bomb.len() < 100_000);
        assert!(matches!(unpack(&bomb), Err(BatchError::TooLong)));
    }

    proptest! {
        /// However the stream is cut into batches, and whichever of them come again, the archive holds the stream.
        #[test]
        fn redelivered_and_resplit_batches_neither_lose_nor_clobber(
            cuts in prop::collection::vec((0_usize..20, 0_usize..20), 1..12),
        ) {
            let stream = records(1..=20);
            let mut archive: BTreeMap<String, Vec<u8>> = BTreeMap::new();
            // Whatever else was delivered, in the end each change was.
            for (from, to) in cuts.into_iter().chain([(0, 7), (8, 19)]) {
                let packed = pack(&stream[from.min(to)..=from.max(to)]).unwrap().unwrap();
                let before = archive.insert(packed.key, packed.bytes.clone());
                prop_assert!(before.is_none_or(|before| before == packed.bytes), "another object was written over");
            }
            let mut ids = BTreeSet::new();
            let mut read: Vec<Record> = archive.values().flat_map(|bytes| unpack(bytes).unwrap()).collect();
            read.retain(|record| ids.insert(record.event_id.clone()));
            read.sort_by_key(|record| record.ver);
            prop_assert_eq!(read, stream);
        }
    }
}
