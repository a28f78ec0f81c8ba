//! When a film ends that does not say how long it is: its last cluster, and the last block in that.

use std::ops::Range;

use super::super::fields::Fields;
use super::super::reach;
use super::MAX_TRACKS;
use super::elements::{Element, child, children, element, id, number};
use crate::probe::RANGE_BYTES;
use crate::sparse::{Missing, Sparse};

/// How much of the end is read for the last cluster where that is not in the last range: this, or a hundredth of the film.
const TAIL_BYTES: Range<u64> = 1024 * 1024..8 * 1024 * 1024;
/// Most places that look like the last cluster.
const MAX_CLUSTERS: usize = 16;

/// Milliseconds to the end of the last block: who records live, as browsers do, knows no length when the beginning is written.
///
/// # Errors
/// What has to be read first.
pub(super) fn by_last_cluster(file: &Sparse, scale: u64, tracks: &[u8]) -> Result<Option<u64>, Missing> {
    let of_track = |track| {
        let nanos = child(track, id::DEFAULT_DURATION).and_then(number)?;
        Some((child(track, id::TRACK_NUMBER).and_then(number)?, nanos))
    };
    let tracks = children(tracks).filter(|(found, _)| *found == id::TRACK_ENTRY).take(MAX_TRACKS);
    let usual: Vec<(u64, u64)> = tracks.filter_map(|(_, track)| of_track(track)).collect();
    let (size, name) = (file.size(), id::CLUSTER.to_be_bytes());
    for window in [RANGE_BYTES, (size / 100).clamp(TAIL_BYTES.start, TAIL_BYTES.end)] {
        let tail = reach::read(file, size.saturating_sub(window)..size)?;
        let places = memchr::memmem::rfind_iter(&tail, &name).take(MAX_CLUSTERS);
        let mut clusters = places.filter_map(|at| tail.get(at..).and_then(element_body));
        if let Some(nanos) = clusters.find_map(|cluster| end_of(cluster, scale, &usual)) {
            return Ok(Some(nanos / 1_000_000));
        }
    }
    Ok(None)
}

/// What is in the element at the beginning of `bytes`, as far as that goes.
fn element_body(bytes: &[u8]) -> Option<&[u8]> {
    let Element { header_bytes, length, .. } = element(bytes)?;
    let body = bytes.get(header_bytes..)?;
    let length = length.map_or(body.len(), |length| usize::try_from(length).unwrap_or(usize::MAX));
    body.get(..length.min(body.len()))
}

/// When the last block of a cluster ends, in nanoseconds; `None` for a cluster without a time or a block. `usual` says how long a block of
/// a track lasts that does not say it, by its track's number.
pub(super) fn end_of(cluster: &[u8], scale: u64, usual: &[(u64, u64)]) -> Option<u64> {
    let begins = child(cluster, id::TIMESTAMP).and_then(number)?;
    let ends = children(cluster).filter_map(|(found, body)| {
        let (block, ticks) = match found {
            id::SIMPLE_BLOCK => (body, None),
            id::BLOCK_GROUP => (child(body, id::BLOCK)?, child(body, id::BLOCK_DURATION).and_then(number)),
            _ => return None,
        };
        let (track, after) = block_head(block)?;
        let lasts = ticks.map(|ticks| ticks.saturating_mul(scale));
        let lasts = lasts.or_else(|| usual.iter().find(|(of, _)| *of == track).map(|(_, nanos)| *nanos));
        let at = begins.saturating_add_signed(after.into()).saturating_mul(scale);
        Some(at.saturating_add(lasts.unwrap_or_default()))
    });
    ends.max()
}

/// A block's track, and how many ticks after its cluster it begins.
fn block_head(block: &[u8]) -> Option<(u64, i16)> {
    let mut fields = Fields(block);
    let first = fields.u8()?;
    let more = first.leading_zeros();
    let value = u64::from(first) & (0x7F_u64.checked_shr(more)?);
    let track =
        fields.take(usize::try_from(more).ok()?)?.iter().fold(value, |track, byte| track << 8 | u64::from(*byte));
    Some((track, fields.u16()?.cast_signed()))
}
