//! Reads a film by ranges: asks for little where only a header is needed, and goes only so far from place to place.

use std::ops::Range;

use crate::sparse::{Missing, Sparse};

/// Fewest bytes that are asked for at a time.
pub(super) const HOP_BYTES: u64 = 16 * 1024;
/// Most places that are gone to for the structure of a film, beyond those that are known anyway.
pub(super) const MAX_HOPS: u32 = 16;
/// So much of each end of a file is there before a film is looked into: the first range, and where a zip's end record would be.
const KNOWN_BYTES: u64 = crate::probe::RANGE_BYTES;

/// The bytes of a film at `range`, as far as the file goes. Where they are missing, at least [`HOP_BYTES`] are asked for.
///
/// # Errors
/// What of them has not been supplied.
pub(super) fn read(file: &Sparse, range: Range<u64>) -> Result<Vec<u8>, Missing> {
    let end = range.end;
    file.bytes(range).map_err(|Missing(hole)| {
        let enough = hole.end.max(hole.start.saturating_add(HOP_BYTES)).min(file.size());
        Missing(hole.start..if end >= hole.end { enough } else { hole.end })
    })
}

/// How far a film has been walked. It counts by places and not by what has been supplied, so that it comes to the same each time that the
/// walk begins anew.
#[derive(Debug)]
pub(super) struct Hops {
    size: u64,
    left: u32,
    window_end: u64,
}

impl Hops {
    /// Nothing yet of a file of `size` bytes.
    pub(super) fn new(size: u64) -> Self {
        Self { size, left: MAX_HOPS, window_end: KNOWN_BYTES }
    }

    /// Goes on to `at`; false when that was once too often.
    pub(super) fn go(&mut self, at: u64) -> bool {
        if at < self.window_end || at.saturating_add(KNOWN_BYTES) >= self.size {
            return true;
        }
        self.window_end = at.saturating_add(HOP_BYTES);
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_brings_its_neighbourhood_along() {
        let mut file = Sparse::new(100_000);
        file.supply(0, vec![7; 10]);
        assert_eq!(read(&file, 2..4), Ok(vec![7; 2]));
        assert_eq!(read(&file, 8..16), Err(Missing(10..10 + HOP_BYTES)));
        assert_eq!(read(&file, 20_000..90_000), Err(Missing(20_000..90_000)));
        assert_eq!(read(&file, 99_990..99_994), Err(Missing(99_990..100_000)));
    }

    #[test]
    fn only_so_many_far_places_are_gone_to() {
        let mut hops = Hops::new(1 << 40);
        assert!(hops.go(100) && hops.go(65_535) && hops.go((1 << 40) - 100));
        for hop in 1..=u64::from(MAX_HOPS) {
            assert!(hops.go(hop << 20) && hops.go((hop << 20) + HOP_BYTES - 1), "{hop}");
        }
        assert!(!hops.go(1 << 30));
    }
}
