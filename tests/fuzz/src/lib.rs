//! Drives a probe over a file that libFuzzer makes up, and looks whether it keeps its promises.

use std::ops::Range;

use vestibule_domain::content_type::ContentType;
use vestibule_domain::policy::{InspectLimits, InspectPolicy};
use vestibule_media::VARIANTS;
use vestibule_media::probe::{Examination, MAX_RANGES, Probe, Step, Subject, Verdict, longest_range};

/// Most zeros in the middle of a file, in pieces of [`PIECE`].
const MAX_PIECES: u8 = 16;
/// Length of such a piece, in bytes. Three of them are more than a probe reads around a place.
const PIECE: usize = 64 * 1024;

/// A made up file: what its sender declares, and its bytes, of which some may be zeros that take no place in the input.
///
/// ```text
/// n (1 byte) │ declared type (n bytes) │ pieces of zeros (1 byte) │ the file's bytes; the zeros come in their middle
/// ```
pub struct File<'a> {
    declared: ContentType,
    head: &'a [u8],
    zeros: usize,
    tail: &'a [u8],
}

impl<'a> File<'a> {
    /// Reads the input; `None` where it ends too early.
    pub fn of(input: &'a [u8]) -> Option<Self> {
        let (length, rest) = input.split_first()?;
        let (declared, rest) = rest.split_at_checked(usize::from(*length))?;
        let (pieces, bytes) = rest.split_first()?;
        let declared = std::str::from_utf8(declared).ok().and_then(|declared| declared.parse().ok());
        let (head, tail) = bytes.split_at(bytes.len() / 2);
        let zeros = usize::from(pieces % (MAX_PIECES + 1)) * PIECE;
        Some(Self { declared: declared.unwrap_or_else(ContentType::octet_stream), head, zeros, tail })
    }

    fn size(&self) -> usize {
        self.head.len() + self.zeros + self.tail.len()
    }

    fn read(&self, range: Range<usize>) -> Vec<u8> {
        let mut bytes = vec![0; range.len()];
        for (at, part) in [(0, self.head), (self.head.len() + self.zeros, self.tail)] {
            let (start, end) = (range.start.max(at), range.end.min(at + part.len()));
            if start < end {
                bytes[start - range.start..end - range.start].copy_from_slice(&part[start - at..end - at]);
            }
        }
        bytes
    }

    /// Examines the file to its end.
    ///
    /// # Panics
    /// Where the probe breaks a promise: it asks for so many ranges at most, none of them empty, outside the file or longer than the
    /// longest; and the thumbnails have names, types and sizes that the parent of an examining process takes.
    pub fn examine(&self, limits: &InspectLimits) -> Examination {
        let size = self.size() as u64;
        let subject = Subject { size, declared_type: self.declared.clone(), declared_sha256: None };
        let policy = InspectPolicy { limits: limits.clone(), ..InspectPolicy::default() };
        let mut step = Probe::start(subject, policy);
        for _ in 0..=MAX_RANGES {
            let probe = match step {
                Step::Done(examination) => {
                    judge(&examination);
                    return *examination;
                }
                Step::Need(probe) => probe,
            };
            let range = probe.range();
            assert!(range.start < range.end && range.end <= size, "{range:?} of {size}");
            assert!(range.end - range.start <= longest_range(limits), "{range:?} is long");
            let bytes = self.read(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap());
            step = probe.supply(bytes).expect("as many as were asked for");
        }
        panic!("it asks for more than {MAX_RANGES} ranges");
    }
}

fn judge(examination: &Examination) {
    let Verdict::Accepted(found) = &examination.verdict else { return };
    assert!(found.thumbnails.len() <= VARIANTS.len());
    for made in &found.thumbnails {
        assert!(VARIANTS.iter().any(|(name, side)| *name == made.name && made.width.max(made.height) <= *side));
        assert!(made.width.min(made.height) > 0 && !made.bytes.0.is_empty());
        assert!(["image/jpeg", "image/png", "image/webp"].contains(&made.content_type.as_str()));
    }
}
