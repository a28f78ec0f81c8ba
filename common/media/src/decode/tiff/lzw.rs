//! The LZW of TIFF 6.0 (section 13), three to four times as fast as the crate that `tiff` uses: docs/decisions/0012.
//! <https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf>
//!
//! The string of a code is the one before it and one byte more, and was put out already: a place in the output and a length say
//! what it is. In photos most have two bytes. Up to eight are in the table itself, and are put out without a branch.

const CLEAR: usize = 256;
const END: usize = 257;
const FIRST: usize = 258;
const CODES: usize = 4096;
/// How many more times than bytes came out the table may be cleared.
const MAX_CLEARED: usize = 16;

/// A decoder, which can be used for one chunk after the other.
pub(super) struct Lzw {
    /// The strings of the codes. Those of a table that was cleared stay, and are not asked for before they are new again.
    strings: Vec<Text>,
}

impl Lzw {
    pub(super) fn new() -> Self {
        let single = |byte: u64| Text { head: byte, length: 1, place: 0 };
        let mut strings: Vec<Text> = (0..256).map(single).collect();
        strings.resize(CODES, single(0));
        Self { strings }
    }

    /// Decodes `input` until `out` is full, and says whether that could be done.
    pub(super) fn decode(&mut self, input: &[u8], out: &mut [u8]) -> bool {
        self.fill(input, out).is_some()
    }

    fn fill(&mut self, input: &[u8], out: &mut [u8]) -> Option<()> {
        let mut codes = Codes { rest: input, bits: 0, count: 0 };
        let (mut next, mut width) = (FIRST, 9);
        let mut before: Option<Text> = None;
        let (mut at, mut cleared) = (0, 0);
        while at < out.len() {
            let code = codes.next(width)?;
            if code == CLEAR {
                // Clearing puts nothing out: without a bound a small file could keep this busy for hours.
                cleared += 1;
                if cleared > at + MAX_CLEARED {
                    return None;
                }
                (next, width, before) = (FIRST, 9, None);
                continue;
            }
            if let Some(before) = before
                && let Some(place) = self.strings.get_mut(next)
            {
                // The new string ends with the first byte of this code's, and this code may be the new one itself.
                *place = before;
                let first = self.strings.get(code)?.head;
                *self.strings.get_mut(next)? = before.and(first);
                next += 1;
                // TIFF's codes become longer one code early.
                width += u32::from(width < 12 && next + 1 >= 1 << width);
            }
            if code >= next || code == END {
                return None;
            }
            let text = *self.strings.get(code)?;
            let place = u32::try_from(at).ok()?;
            at = text.put(out, at)?;
            before = Some(Text { place, ..text });
        }
        Some(())
    }
}

/// A string that was put out.
#[derive(Clone, Copy)]
struct Text {
    /// Its first eight bytes, the very first the lowest.
    head: u64,
    length: u32,
    /// Where in the output it begins.
    place: u32,
}

impl Text {
    /// The string with one byte more: the lowest of `last`.
    fn and(self, last: u64) -> Self {
        let head = if self.length < 8 { self.head | (last & 0xFF) << (8 * self.length) } else { self.head };
        Self { head, length: self.length + 1, ..self }
    }

    /// Puts it out at `at`, as far as there is room, and says where it ends.
    #[inline]
    fn put(self, out: &mut [u8], at: usize) -> Option<usize> {
        let (length, from) = (usize::try_from(self.length).ok()?, usize::try_from(self.place).ok()?);
        let room = out.len() - at;
        if length <= 8 {
            if room < 8 {
                let head = self.head.to_le_bytes();
                out.get_mut(at..)?.iter_mut().zip(head.iter().take(length)).for_each(|(place, byte)| *place = *byte);
                return Some(at + length.min(room));
            }
            *out.get_mut(at..)?.first_chunk_mut()? = self.head.to_le_bytes();
        } else if length <= 16 && from + 16 <= at && room >= 16 {
            let both: [u8; 16] = *out.get(from..)?.first_chunk()?;
            *out.get_mut(at..)?.first_chunk_mut()? = both;
        } else {
            let (done, rest) = out.split_at_mut_checked(at)?;
            let source = done.get(from..)?;
            let rest = rest.get_mut(..length.min(room))?;
            // The newest string may end with its own first byte, which is then the last to be put out.
            let (most, last) = rest.split_at_mut(rest.len().min(source.len()));
            most.copy_from_slice(source.get(..most.len())?);
            last.fill(*source.first()?);
            return Some(at + length.min(room));
        }
        Some(at + length)
    }
}

/// Codes of some bits each, the highest first.
struct Codes<'a> {
    rest: &'a [u8],
    bits: u64,
    count: u32,
}

impl Codes<'_> {
    #[inline]
    fn next(&mut self, width: u32) -> Option<usize> {
        if self.count < width {
            if let Some((four, left)) = self.rest.split_first_chunk::<4>() {
                (self.bits, self.rest) = (self.bits << 32 | u64::from(u32::from_be_bytes(*four)), left);
                self.count += 32;
            }
            while self.count < width {
                let (byte, left) = self.rest.split_first()?;
                (self.bits, self.rest) = (self.bits << 8 | u64::from(*byte), left);
                self.count += 8;
            }
        }
        self.count -= width;
        usize::try_from(self.bits >> self.count & ((1 << width) - 1)).ok()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use tiff::encoder::{Compression, TiffEncoder, colortype::Gray8};

    use super::*;

    /// What `tiff` makes of the bytes: the strip of a picture of one row.
    pub(in crate::decode) fn encoded(bytes: &[u8]) -> Vec<u8> {
        let mut file = std::io::Cursor::new(Vec::new());
        let mut encoder = TiffEncoder::new(&mut file).unwrap().with_compression(Compression::Lzw);
        encoder.write_image::<Gray8>(u32::try_from(bytes.len()).unwrap(), 1, bytes).unwrap();
        let file = file.into_inner();
        let mut reader = tiff::decoder::Decoder::new(std::io::Cursor::new(&file)).unwrap();
        let mut first = |tag| usize::try_from(reader.get_tag_u64_vec(tag).unwrap()[0]).unwrap();
        let (offset, length) = (first(tiff::tags::Tag::StripOffsets), first(tiff::tags::Tag::StripByteCounts));
        file[offset..][..length].to_vec()
    }

    fn decoded(input: &[u8], length: usize) -> Option<Vec<u8>> {
        let mut out = vec![0; length];
        Lzw::new().decode(input, &mut out).then_some(out)
    }

    /// Few different bytes, so that strings become long, and many, so that the table becomes full.
    fn some_bytes() -> impl Strategy<Value = Vec<u8>> {
        let runs = |top: u8| prop::collection::vec((0..=top, 1_usize..60), 1..400);
        prop_oneof![
            runs(2).prop_map(|runs| runs.into_iter().flat_map(|(byte, count)| vec![byte; count]).collect()),
            prop::collection::vec(any::<u8>(), 1..20_000),
            prop::collection::vec(0_u8..3, 1..20_000),
        ]
    }

    proptest! {
        #[test]
        fn what_the_library_encodes_comes_back(bytes in some_bytes()) {
            prop_assert_eq!(decoded(&encoded(&bytes), bytes.len()), Some(bytes));
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(input in prop::collection::vec(any::<u8>(), 0..300), length in 0_usize..5000) {
            decoded(&input, length);
        }
    }

    #[test]
    fn one_chunk_does_not_show_in_the_next() {
        let (long, short) = (vec![7; 9000], (0..=255).collect::<Vec<u8>>());
        let mut lzw = Lzw::new();
        for bytes in [&long, &short, &long, &short] {
            let mut out = vec![0; bytes.len()];
            assert!(lzw.decode(&encoded(bytes), &mut out));
            assert_eq!(&out, bytes);
        }
        // The code 300 before it is new.
        assert!(!lzw.decode(&[0x80, 0x0A, 0x58, 0xFF], &mut [0; 9]));
    }

    #[test]
    fn a_single_byte_that_repeats_is_a_string_that_overlaps_itself() {
        for length in [1, 2, 7, 8, 9, 15, 16, 17, 100, 5000, 300_000] {
            let bytes = vec![7; length];
            assert_eq!(decoded(&encoded(&bytes), length), Some(bytes), "{length}");
        }
    }

    #[test]
    fn clearing_for_ever_is_refused() {
        // Codes of nine bits: each is 256, which clears.
        let clears: Vec<u8> = [0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01, 0x00].repeat(100_000);
        let mut out = [0; 10];
        let mut codes = Codes { rest: &clears, bits: 0, count: 0 };
        assert_eq!((codes.next(9), codes.next(9)), (Some(CLEAR), Some(CLEAR)));
        assert!(!Lzw::new().decode(&clears, &mut out));
    }

    #[test]
    fn data_that_end_early_are_refused_and_what_follows_does_not_count() {
        let bytes: Vec<u8> = (0..2000_u32).map(|at| (at * at / 7).to_le_bytes()[0]).collect();
        let input = encoded(&bytes);
        assert_eq!(decoded(&input, 2001), None);
        assert_eq!(decoded(&input[..input.len() / 2], 2000), None);
        assert_eq!(decoded(&[&input[..], b"more"].concat(), 2000), Some(bytes));
    }
}
