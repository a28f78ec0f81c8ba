//! The bits of a scan: byte stuffing removed, a chunk at a time, and markers noticed.

#![expect(clippy::inline_always, reason = "a block takes some tens of nanoseconds: calls would be a good part of them")]
#![expect(clippy::cast_possible_truncation, reason = "of a window only as many bits are taken as the type has")]

use crate::error::{Error, damaged};

/// Bytes of a chunk. A power of two, so that a masked position is always inside.
const CHUNK: usize = 1 << 14;
/// No minimum coded unit is longer: ten blocks of 64 symbols, each of at most 16 bits of code and 15 of value (T.81, B.2.3 and F.1.2).
const MAX_MCU_BYTES: usize = 10 * 64 * 31 / 8 + 8;
/// What may stand unused between a scan's last bit and the marker after it. Decoders pass over such bytes; that there are many of them
/// means that the reader has lost its place.
const MAX_STRAY_BYTES: usize = 4;

/// A reader of the entropy-coded segments of one scan.
pub(crate) struct Bits<'a> {
    source: &'a [u8],
    /// The first byte of `source` that is not in the chunk.
    next: usize,
    chunk: Box<[u8; CHUNK + 8]>,
    /// Bytes of `chunk` that are the segment's; zeros follow.
    filled: usize,
    /// Whether the segment's last byte is in the chunk.
    ended: bool,
    /// The byte of `chunk` from which `window` is filled up next.
    at: usize,
    /// The next bits, from the most significant on.
    window: u64,
    /// How many bits of `window` count.
    count: u32,
}

impl<'a> Bits<'a> {
    /// Begins at the first byte behind a scan's header.
    #[expect(clippy::large_stack_arrays, reason = "16 KiB, and where it is optimised it goes straight to the heap")]
    pub(crate) fn new(source: &'a [u8]) -> Self {
        let chunk = Box::new([0; CHUNK + 8]);
        Self { source, next: 0, chunk, filled: 0, ended: false, at: 0, window: 0, count: 0 }
    }

    /// Makes sure that a whole minimum coded unit is at hand. To be called before each.
    #[inline]
    pub(crate) fn prepare(&mut self) {
        if self.at + MAX_MCU_BYTES > self.filled && !self.ended {
            self.fill();
        }
    }

    #[cold]
    #[inline(never)]
    fn fill(&mut self) {
        // What has been read goes, but for the bytes that the window may still hold, and the rest moves to the front.
        let gone = self.at.min(self.filled).saturating_sub(8);
        self.chunk.copy_within(gone..self.filled, 0);
        self.filled -= gone;
        self.at -= gone;
        while self.filled < CHUNK - 1 && !self.ended {
            let rest = self.source.get(self.next..).unwrap_or_default();
            let plain = memchr::memchr(0xFF, rest).unwrap_or(rest.len());
            let room = plain.min(CHUNK - 1 - self.filled);
            let (from, to) = (rest.get(..room), self.chunk.get_mut(self.filled..self.filled + room));
            if let (Some(from), Some(to)) = (from, to) {
                to.copy_from_slice(from);
            }
            self.filled += room;
            self.next += room;
            if room < plain {
                break;
            }
            match rest.get(plain + 1) {
                Some(0) => {
                    if let Some(place) = self.chunk.get_mut(self.filled) {
                        *place = 0xFF;
                    }
                    self.filled += 1;
                    self.next += 2;
                }
                // A marker, or the end of the file.
                Some(_) | None => self.ended = true,
            }
        }
        if let Some(rest) = self.chunk.get_mut(self.filled..) {
            rest.fill(0);
        }
    }

    /// Fills the window up to 56 bits or more.
    #[inline(always)]
    pub(crate) fn refill(&mut self) {
        let at = self.at & (CHUNK - 1);
        let word = self.chunk.get(at..at + 8).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        self.window |= u64::from_be_bytes(word) >> self.count;
        self.at += ((63 - self.count) >> 3) as usize;
        self.count |= 0b11_1000;
    }

    /// The next `N` bits, which [`Bits::refill`] has made sure of.
    #[inline(always)]
    pub(crate) fn peek<const N: u32>(&self) -> usize {
        (self.window >> (64 - N)) as usize
    }

    /// All bits at hand, from the most significant on.
    #[inline(always)]
    pub(crate) fn window(&self) -> u64 {
        self.window
    }

    /// Moves on by at most as many bits as are at hand.
    #[inline(always)]
    pub(crate) fn consume(&mut self, bits: u32) {
        self.window = self.window.wrapping_shl(bits);
        self.count = self.count.wrapping_sub(bits);
    }

    /// The next `bits`, at most 16, as a number.
    #[inline(always)]
    pub(crate) fn take(&mut self, bits: u32) -> u32 {
        self.refill();
        let value = (self.window >> 1) >> (63 - bits);
        self.consume(bits);
        value as u32
    }

    /// Passes over any number of bits.
    pub(crate) fn skip(&mut self, mut bits: u32) {
        while bits > 0 {
            self.refill();
            let step = bits.min(32);
            self.consume(step);
            bits -= step;
        }
    }

    /// The next `size` bits, at most 15, as the signed difference that JPEG writes with them (T.81, F.2.2.1).
    #[inline(always)]
    pub(crate) fn extend(window: u64, size: u32) -> i32 {
        let value = ((window >> 1) >> (63 - size)) as i32;
        // All ones where the first bit is 0: the value is negative, and 2^size − 1 is taken off.
        let negative = !(window.cast_signed() >> 63) as i32;
        value - (negative & ((1 << size) - 1))
    }

    /// Whether more bits were read than the segment has.
    #[inline]
    pub(crate) fn overran(&self) -> bool {
        self.ended && self.at * 8 > self.filled * 8 + self.count as usize
    }

    /// Moves to the marker that follows. Answers how many bytes before it nobody has read, but for those that encoders fill up with.
    fn settle(&mut self) -> Result<usize, Error> {
        self.prepare();
        if self.overran() {
            return damaged("a scan ends before its picture");
        }
        // Whole bytes that nobody read, in the chunk and behind it.
        let read = (self.at * 8).saturating_sub(self.count as usize).div_ceil(8);
        let mut stray =
            self.chunk.get(read..self.filled).unwrap_or_default().iter().filter(|byte| !is_filler(**byte)).count();
        if !self.ended {
            let rest = self.source.get(self.next..).unwrap_or_default();
            let (length, strange) = stray_before_marker(rest);
            self.next += length;
            stray += strange;
        }
        Ok(stray)
    }

    /// Passes over a restart marker. Its number is not looked at: there are encoders that give all the same.
    pub(crate) fn restart(&mut self) -> Result<(), Error> {
        if self.settle()? > MAX_STRAY_BYTES {
            return damaged("an interval goes on behind its blocks");
        }
        let rest = self.source.get(self.next..).unwrap_or_default();
        // A marker may be preceded by any number of 0xFF.
        let fill = rest.iter().take_while(|byte| **byte == 0xFF).count();
        if fill == 0 || !matches!(rest.get(fill), Some(0xD0..=0xD7)) {
            return damaged("a restart marker is not where it belongs");
        }
        self.next += fill + 1;
        (self.filled, self.at, self.window, self.count, self.ended) = (0, 0, 0, 0, false);
        Ok(())
    }

    /// Ends the scan: the place in `source` of the marker that follows. What stands before it unread is passed over, as decoders do: cameras
    /// leave such bytes, and so does a picture whose height was made less.
    /// A restart marker there may be one too many of, but not with an interval behind it: then this one has lost its place.
    pub(crate) fn finish(mut self) -> Result<usize, Error> {
        self.settle()?;
        match self.source.get(self.next..).unwrap_or_default() {
            [0xFF, 0xD0..=0xD7, 0xFF, next, ..] if *next != 0 => Ok(self.next + 2),
            [0xFF, 0xD0..=0xD7, ..] => damaged("there are more restart intervals than the picture has"),
            _ => Ok(self.next),
        }
    }
}

/// What encoders fill up with.
fn is_filler(byte: u8) -> bool {
    matches!(byte, 0x00 | 0xFF)
}

/// How many bytes are before the next marker, and how many of them are no filling.
fn stray_before_marker(rest: &[u8]) -> (usize, usize) {
    let end = scan_length(rest);
    (end, rest.iter().take(end).filter(|byte| !is_filler(**byte)).count())
}

/// How long the entropy-coded data at the beginning of `rest` is, up to a marker that is neither stuffing nor, here, anything else.
pub(crate) fn scan_length(rest: &[u8]) -> usize {
    memchr::memchr_iter(0xFF, rest).find(|at| rest.get(at + 1).is_none_or(|next| *next != 0)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffing_goes_and_markers_end() {
        let mut bits = Bits::new(&[0b1010_0101, 0xFF, 0x00, 0x81, 0xFF, 0xD0, 0x12, 0xFF, 0xD9]);
        bits.prepare();
        assert_eq!(bits.take(4), 0b1010);
        assert_eq!(bits.take(4), 0b0101);
        assert_eq!(bits.take(8), 0xFF);
        assert_eq!(bits.take(8), 0x81);
        assert!(!bits.overran());
        bits.restart().unwrap();
        bits.prepare();
        assert_eq!(bits.take(8), 0x12);
        assert_eq!(bits.finish(), Ok(7));
    }

    #[test]
    fn reading_behind_the_end_is_noticed_and_so_is_what_an_interval_leaves() {
        let mut bits = Bits::new(&[0x12, 0xFF, 0xD9]);
        bits.prepare();
        bits.take(9);
        assert!(bits.overran());
        assert!(bits.finish().is_err());
        for (strays, is_damage) in [(4, false), (5, true), (40_000, true)] {
            let mut long = vec![0x12; 2 + strays];
            long.extend([0xFF, 0xD3, 0x12, 0xFF, 0xD9]);
            let mut bits = Bits::new(&long);
            bits.prepare();
            bits.take(9);
            assert_eq!(bits.restart().is_err(), is_damage, "{strays}");
        }
        // At the end of a scan nobody minds, but for another interval.
        let long = [vec![0x12; 40_000], vec![0xFF, 0xD9]].concat();
        assert_eq!(Bits::new(&long).finish(), Ok(40_000));
        assert_eq!(Bits::new(&[0x12, 0xFF, 0xD0, 0xFF, 0xD9]).finish(), Ok(3));
        assert!(Bits::new(&[0x12, 0xFF, 0xD0, 0x12, 0xFF, 0xD9]).finish().is_err());
        // Filling does not count.
        let bits = Bits::new(&[0, 0, 0, 0, 0, 0, 0, 0xFF, 0, 0xFF, 0xD9]);
        assert_eq!(bits.finish(), Ok(9));
    }

    #[test]
    fn every_chunk_continues_the_one_before() {
        let source: Vec<u8> = (0..100_000_u32).map(|at| (at * 7 % 251) as u8).collect();
        let mut bits = Bits::new(&source);
        for expected in &source {
            bits.prepare();
            assert_eq!(bits.take(8), u32::from(*expected));
        }
        assert_eq!(bits.finish(), Ok(source.len()));
    }

    #[test]
    fn a_difference_is_signed_by_its_first_bit() {
        for (bits, size, expected) in [
            (0_u32, 0, 0),
            (0, 1, -1),
            (1, 1, 1),
            (0b00, 2, -3),
            (0b01, 2, -2),
            (0b10, 2, 2),
            (0x7FF, 11, 2047),
            (0, 11, -2047),
        ] {
            let window = if size == 0 { u64::MAX } else { u64::from(bits) << (64 - size) };
            assert_eq!(Bits::extend(window, size), expected, "{bits:b} of {size}");
        }
    }
}
