//! Reads without doing I/O: says which range of the file it needs next, or what it found.
//!
//! ```text
//! start(subject) ─▶ Need(0..64 KiB) ─supply─▶ … ─▶ Done(examination)
//! ```

use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use vestibule_domain::admission::NotAdmitted;
use vestibule_domain::content_type::ContentType;
use vestibule_domain::digest::Sha256Digest;
use vestibule_domain::inspection::{Facts, Inspection};
use vestibule_domain::policy::{InspectLimits, InspectPolicy};
use vestibule_domain::rejection::{Rejection, RejectionCode};

use crate::content::{Content, Kind};
#[cfg(feature = "pdf")]
use crate::document;
#[cfg(feature = "video")]
use crate::film;
use crate::inside::{self, Inside, MAX_DIRECTORY_BYTES};
use crate::sniff::{Hole, Sniffed, Text, glance, sniff};
#[cfg(feature = "audio")]
use crate::sound;
use crate::sparse::{Missing, Sparse};
use crate::stop::Stop;
#[cfg(feature = "text")]
use crate::text;
use crate::{claim, picture, polyglot};

/// Length of the first range, and of each further one of a file that is not read whole.
pub const RANGE_BYTES: u64 = 64 * 1024;
/// Why a picture is refused that is longer than `max_image_bytes`, where a file of another kind may be as long.
pub const PICTURE_TOO_LARGE: &str = "This picture file is larger than can be examined here.";
/// Longest single range of a file that is not read whole: a zip's end record is looked for in its last 65,557 bytes.
const MAX_RANGE_BYTES: u64 = 2 * RANGE_BYTES;
/// Most ranges that are asked for before the type found so far is good enough.
const MAX_SNIFF_RANGES: u32 = 8;
/// Most ranges that are asked for in all: those, the rest of a picture or the end of another file, and four more to which the end
/// points: an archive's last record, its directory, and where else that may be. A film is read from place to place.
pub const MAX_RANGES: u32 = MAX_SNIFF_RANGES + 5 + FILM_RANGES;
#[cfg(feature = "video")]
const FILM_RANGES: u32 = film::MAX_RANGES;
#[cfg(not(feature = "video"))]
const FILM_RANGES: u32 = 0;
#[cfg(feature = "video")]
const FILM_RANGE_BYTES: u64 = film::MAX_RANGE_BYTES;
#[cfg(not(feature = "video"))]
const FILM_RANGE_BYTES: u64 = MAX_RANGE_BYTES;

/// Longest single range, in bytes, of a file of which `limits` hold.
pub fn longest_range(limits: &InspectLimits) -> u64 {
    let longest = limits.max_image_bytes.max(MAX_DIRECTORY_BYTES).max(MAX_RANGE_BYTES).max(FILM_RANGE_BYTES);
    #[cfg(feature = "audio")]
    let longest = longest.max(sound::MAX_WHOLE_BYTES);
    longest
}

/// What is known of a file before its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// Its length, in bytes.
    pub size: u64,
    /// The content type that its sender claims.
    pub declared_type: ContentType,
    /// The digest that its sender claims, if any. It is compared when the file is read whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_sha256: Option<Sha256Digest>,
}

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// More bytes are needed.
    Need(Box<Probe>),
    /// The file has been examined.
    Done(Box<Examination>),
}

/// The end of a probe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Examination {
    /// May it come in?
    pub verdict: Verdict,
    /// The reason in technical words, for the logs: what was broken, or why there is no thumbnail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What is said of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub enum Verdict {
    /// The file may come in.
    Accepted(Box<Inspection>),
    /// The file may not.
    Rejected(Rejection),
}

/// The bytes supplied are not as many as were asked for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{supplied} bytes were supplied for the range {}..{}", .range.start, .range.end)]
pub struct WrongLength {
    range: Range<u64>,
    supplied: usize,
}

/// An examination that waits for the bytes of [`Probe::range`].
#[derive(Debug)]
pub struct Probe {
    subject: Subject,
    policy: InspectPolicy,
    file: Sparse,
    asked: u32,
    range: Range<u64>,
}

impl Probe {
    /// Begins to examine a file.
    pub fn start(subject: Subject, policy: InspectPolicy) -> Step {
        if subject.size == 0 {
            return refused(RejectionCode::Empty, None);
        }
        let range = 0..RANGE_BYTES.min(subject.size);
        Step::Need(Box::new(Self { file: Sparse::new(subject.size), subject, policy, asked: 1, range }))
    }

    /// The range that is needed: not empty, and inside the file.
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// Goes on with the bytes of [`Probe::range`].
    ///
    /// # Errors
    /// When there are not exactly as many bytes as the range is long.
    pub fn supply(mut self, bytes: Vec<u8>) -> Result<Step, WrongLength> {
        if bytes.len() as u64 != self.range.end - self.range.start {
            return Err(WrongLength { range: self.range, supplied: bytes.len() });
        }
        self.file.supply(self.range.start, bytes);
        Ok(self.step())
    }

    fn step(self) -> Step {
        let sniffed = match sniff(&self.file) {
            Ok(sniffed) => sniffed,
            Err(Hole(at)) if self.asked < MAX_SNIFF_RANGES && at < self.subject.size => return self.ask_around(at),
            Err(Hole(_)) => glance(&self.file),
        };
        if let Some(refused) = self.not_admitted(&sniffed) {
            return refused;
        }
        let Some(kept) = claim::settle(&self.subject.declared_type, &sniffed) else {
            return refused(RejectionCode::TypeMismatch, Some(contradiction(&self.subject.declared_type, &sniffed)));
        };
        if let Some(refused) = self.unwanted(&kept) {
            return refused;
        }
        let sha256 = self.file.whole().map(|bytes| Sha256Digest::new(Sha256::digest(bytes).into()));
        if let (Some(found), Some(declared)) = (sha256, self.subject.declared_sha256)
            && found != declared
        {
            return refused(RejectionCode::ChecksumMismatch, Some(format!("the bytes hash to {found}")));
        }
        let kind = Kind::of(&kept);
        if let Some(what) = polyglot::head(&kept, self.file.head()) {
            return refused(RejectionCode::Polyglot, Some(what.to_owned()));
        }
        if matches!(kind, Kind::Picture(_)) && self.subject.size > self.policy.limits.max_image_bytes {
            return too_large_a_picture();
        }
        if kind.is_read_whole(self.subject.size, &self.policy.limits) && self.file.whole().is_none() {
            let range = self.file.rest();
            return self.ask(range);
        }
        match inside::look(&self.file, &kept, &self.policy) {
            Ok(Inside { entries, unpacked_size, macros, encrypted }) => {
                let encrypted = encrypted.then_some(true);
                self.look(kind, Facts { sha256, entries, unpacked_size, macros, encrypted, ..Facts::of_type(kept) })
            }
            Err(stop) => self.stop(stop),
        }
    }

    /// Goes on where the bytes end, or refuses the file.
    fn stop(self, stop: Stop) -> Step {
        match stop {
            Stop::Missing(Missing(range)) if self.asked < MAX_RANGES => self.ask(range),
            Stop::Missing(_) => refused(RejectionCode::Damaged, Some("it leads from place to place".to_owned())),
            Stop::Refused(code, detail) => refused(code, Some(detail)),
        }
    }

    /// The refusal of a file whose type does not come in. What the bytes are counts; of a text, and of what is not known, the sender's
    /// word does as well, since nothing in it tells a script from other text.
    fn not_admitted(&self, sniffed: &Sniffed) -> Option<Step> {
        let declared = &self.subject.declared_type;
        match sniffed.text {
            Text::Fragment if claim::is_harmless_text(declared) => self.unwanted(declared),
            Text::Fragment | Text::Certain => self.unwanted(&sniffed.found).or_else(|| self.unwanted(declared)),
            Text::Possible | Text::No if sniffed.found == ContentType::octet_stream() => self.unwanted(declared),
            Text::Possible | Text::No => self.unwanted(&sniffed.found),
        }
    }

    /// The refusal of a type that does not come in.
    fn unwanted(&self, name: &ContentType) -> Option<Step> {
        let detail = match self.policy.admission.judge(name).err()? {
            NotAdmitted::Dangerous(danger) => format!("{name}: {danger:?}"),
            NotAdmitted::Unwanted => format!("{name}: on the list of what is denied"),
        };
        Some(refused(RejectionCode::TypeNotAllowed, Some(detail)))
    }

    /// Asks for the bytes from `at` on, and so many more that the end of the file is in the same range if it is near.
    fn ask_around(self, at: u64) -> Step {
        let size = self.subject.size;
        let near_the_end = size <= at.saturating_add(MAX_RANGE_BYTES);
        self.ask(at..if near_the_end { size } else { at + RANGE_BYTES })
    }

    fn ask(self, range: Range<u64>) -> Step {
        Step::Need(Box::new(Self { asked: self.asked + 1, range, ..self }))
    }

    /// What more there is to see in a file that may come in, by its kind.
    fn look(mut self, kind: Kind, facts: Facts) -> Step {
        let limits = &self.policy.limits;
        let looked = match kind {
            Kind::Picture(format) => {
                let bytes = self.file.take_whole().unwrap_or_default();
                picture::look(format, bytes, facts, limits).map_err(Stop::from)
            }
            #[cfg(feature = "video")]
            Kind::Film(container) => film::look(container, &self.file, facts, limits),
            #[cfg(feature = "audio")]
            Kind::Sound(container) => {
                let mut facts = facts;
                match sound::look(container, &self.file, &mut facts) {
                    Err(missing) if self.asked < MAX_RANGES => Err(Stop::from(missing)),
                    // One that leads from place to place comes in without what it says there.
                    Ok(()) | Err(_) => Ok(Content::plain(facts)),
                }
            }
            #[cfg(feature = "pdf")]
            Kind::Document => document::look(self.file.take_whole(), facts, &self.policy),
            #[cfg(feature = "text")]
            Kind::Text => Ok(Content::plain(text::look(self.file.head(), self.subject.size, facts))),
            Kind::Other => Ok(Content::plain(facts)),
        };
        match looked {
            Ok(content) => accepted(content),
            Err(stop) => self.stop(stop),
        }
    }
}

fn accepted(content: Content) -> Step {
    let (inspection, detail) = content.into_inspection();
    Step::Done(Box::new(Examination { verdict: Verdict::Accepted(Box::new(inspection)), detail }))
}

fn refused(code: RejectionCode, detail: Option<String>) -> Step {
    Step::Done(Box::new(Examination { verdict: Verdict::Rejected(code.into()), detail }))
}

fn too_large_a_picture() -> Step {
    let rejection = Rejection::because(RejectionCode::TooLarge, PICTURE_TOO_LARGE);
    Step::Done(Box::new(Examination { verdict: Verdict::Rejected(rejection), detail: None }))
}

fn contradiction(declared: &ContentType, sniffed: &Sniffed) -> String {
    format!("declared {declared}, found {}", sniffed.found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RECIPE;

    fn subject(size: u64, declared: &str) -> Subject {
        Subject { size, declared_type: declared.parse().unwrap(), declared_sha256: None }
    }

    /// Drives a probe over a file that `read` knows, and notes the ranges.
    fn drive(
        subject: Subject,
        limits: InspectLimits,
        read: impl Fn(Range<u64>) -> Vec<u8>,
    ) -> (Examination, Vec<Range<u64>>) {
        let mut ranges = Vec::new();
        let mut step = Probe::start(subject, InspectPolicy { limits, ..InspectPolicy::default() });
        loop {
            match step {
                Step::Done(examination) => return (*examination, ranges),
                Step::Need(probe) => {
                    ranges.push(probe.range());
                    let bytes = read(probe.range());
                    step = probe.supply(bytes).unwrap();
                }
            }
        }
    }

    fn slice(bytes: &[u8]) -> impl Fn(Range<u64>) -> Vec<u8> {
        |range| bytes[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()].to_vec()
    }

    fn examine(bytes: &[u8], declared: &str, limits: InspectLimits) -> Verdict {
        drive(subject(bytes.len() as u64, declared), limits, slice(bytes)).0.verdict
    }

    fn code(verdict: &Verdict) -> Option<RejectionCode> {
        match verdict {
            Verdict::Accepted(_) => None,
            Verdict::Rejected(rejection) => Some(rejection.code),
        }
    }

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        image::DynamicImage::new_rgb8(width, height)
            .write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png)
            .unwrap();
        bytes
    }

    /// A zip's end: one entry `name` in the directory, then the end record. Stored sizes are those of the directory alone.
    fn zip_tail(name: &str, directory_at: u32) -> Vec<u8> {
        let mut bytes = b"PK\x01\x02".to_vec();
        bytes.extend([0; 24]);
        bytes.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        bytes.extend([0; 16]);
        bytes.extend(name.as_bytes());
        let length = u32::try_from(bytes.len()).unwrap();
        bytes.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
        bytes.extend(length.to_le_bytes());
        bytes.extend(directory_at.to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    }

    #[test]
    fn an_empty_file_needs_no_bytes() {
        let (examination, ranges) = drive(subject(0, "text/plain"), InspectLimits::default(), |_| vec![]);
        assert_eq!(code(&examination.verdict), Some(RejectionCode::Empty));
        assert!(ranges.is_empty());
    }

    #[test]
    fn ten_gigabytes_of_video_cost_a_few_ranges() {
        const SIZE: u64 = 10_000_000_000;
        // ftyp, one mdat as long as the file, then moov with a video track in its last kilobyte.
        let moov: Vec<u8> = [
            &b"\0\0\x04\0moov\0\0\x03\xF8trak\0\0\x03\xF0mdia\0\0\0\x20hdlr"[..],
            b"\0\0\0\0\0\0\0\0vide",
            &[0; 12],
            b"\0\0\x03\xC8free",
        ]
        .concat();
        let tail_at = SIZE - 1024;
        let read = |range: Range<u64>| {
            let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap()];
            let mut put = |at: u64, what: &[u8]| {
                for (i, byte) in (at..).zip(what) {
                    if range.contains(&i) {
                        bytes[usize::try_from(i - range.start).unwrap()] = *byte;
                    }
                }
            };
            put(0, b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x01mdat");
            put(32, &(tail_at - 24).to_be_bytes());
            put(tail_at, &moov);
            bytes
        };
        let limits = InspectLimits { max_upload_bytes: SIZE, ..InspectLimits::default() };
        let (examination, ranges) = drive(subject(SIZE, "video/mp4"), limits, read);
        let Verdict::Accepted(found) = examination.verdict else { panic!("refused: {:?}", examination.verdict) };
        assert_eq!(found.facts, Facts::of_type("video/mp4".parse().unwrap()));
        // Its head, its end with what it is a film by, and what may be an archive at its end.
        assert_eq!(ranges.len(), 3, "{ranges:?}");
        assert!(ranges.iter().map(|range| range.end - range.start).sum::<u64>() <= 3 * RANGE_BYTES, "{ranges:?}");
    }

    #[test]
    fn a_large_docx_is_known_from_its_head_and_tail() {
        let size = 3_000_000_usize;
        let mut bytes = b"PK\x03\x04".to_vec();
        bytes.resize(size, 7);
        let tail_length = zip_tail("word/document.xml", 0).len();
        let tail = zip_tail("word/document.xml", u32::try_from(size - tail_length).unwrap());
        bytes.splice(size - tail_length.., tail);
        let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        let (examination, ranges) = drive(subject(size as u64, docx), InspectLimits::default(), slice(&bytes));
        assert_eq!(code(&examination.verdict), None, "{examination:?}");
        assert_eq!(ranges.len(), 2);
        assert!(ranges.iter().map(|range| range.end - range.start).sum::<u64>() <= 3 * RANGE_BYTES);
    }

    #[test]
    fn a_file_that_leads_from_hole_to_hole_costs_a_bounded_number_of_ranges() {
        // An MP4 in which every box is 1 MiB long and followed by another.
        let boxes = |at: u64| {
            let name = if at < 1 << 20 { b"\0\x10\0\0ftypmp42" } else { b"\0\x10\0\0freefree" };
            usize::try_from(at % (1 << 20)).ok().and_then(|offset| name.get(offset)).copied().unwrap_or(0)
        };
        let read = |range: Range<u64>| range.map(boxes).collect::<Vec<u8>>();
        let (examination, ranges) = drive(subject(1 << 33, "video/mp4"), InspectLimits::default(), read);
        assert_eq!(code(&examination.verdict), None, "{examination:?}");
        // Those that its type is looked for in, its end, and as many places as a film is gone to in.
        let most = if cfg!(feature = "video") { MAX_RANGES } else { MAX_SNIFF_RANGES + 1 };
        assert!(ranges.len() <= most as usize, "{ranges:?}");
    }

    #[test]
    fn a_supply_of_another_length_is_an_error() {
        let Step::Need(probe) = Probe::start(subject(10, "text/plain"), InspectPolicy::default()) else { panic!() };
        assert!(probe.supply(vec![0; 9]).is_err());
    }

    #[test]
    fn a_picture_on_the_limit_comes_in_and_one_past_it_does_not() {
        let limits = InspectLimits { max_pixels: 100, ..InspectLimits::default() };
        for (width, height, expected) in [
            (9, 11, None),
            (10, 10, None),
            (101, 1, Some(RejectionCode::TooManyPixels)),
            (1, 101, Some(RejectionCode::TooManyPixels)),
        ] {
            assert_eq!(code(&examine(&png(width, height), "image/png", limits)), expected, "{width} × {height}");
        }
        let bytes = png(10, 10);
        for (more, expected) in [(-1, Some(RejectionCode::TooLarge)), (0, None), (1, None)] {
            let max_image_bytes = (bytes.len() as u64).saturating_add_signed(more);
            let limits = InspectLimits { max_image_bytes, ..InspectLimits::default() };
            assert_eq!(code(&examine(&bytes, "image/png", limits)), expected, "{more}");
        }
    }

    #[test]
    fn a_small_file_that_was_read_whole_is_hashed_and_compared() {
        let text = b"name,age\nAda,36\n";
        let truth = Sha256Digest::new(Sha256::digest(text).into());
        for (declared, expected) in [(truth, None), (Sha256Digest::new([7; 32]), Some(RejectionCode::ChecksumMismatch))]
        {
            let subject = Subject { declared_sha256: Some(declared), ..subject(text.len() as u64, "text/csv") };
            let (examination, _) = drive(subject, InspectLimits::default(), slice(text));
            assert_eq!(code(&examination.verdict), expected);
            if let Verdict::Accepted(found) = examination.verdict {
                assert_eq!(found.facts.sha256, Some(truth));
                assert_eq!(found.facts.content_type.as_str(), "text/csv");
            }
        }
    }

    #[test]
    fn a_tiny_picture_has_both_variants_in_its_own_size() {
        let Verdict::Accepted(found) = examine(&png(7, 5), "application/octet-stream", InspectLimits::default()) else {
            panic!("refused")
        };
        assert_eq!((found.facts.width, found.facts.height, found.facts.frames), (Some(7), Some(5), None));
        assert_eq!(found.facts.content_type.as_str(), "image/png");
        assert_eq!(found.facts.recipe.as_deref(), Some(RECIPE));
        let made: Vec<_> = found.thumbnails.iter().map(|t| (t.name.as_str(), t.width, t.height)).collect();
        assert_eq!(made, [("320", 7, 5), ("1280", 7, 5)]);
    }

    #[test]
    fn an_examination_travels_as_json() {
        let (examination, _) = drive(subject(4, "text/plain"), InspectLimits::default(), |_| b"text".to_vec());
        let json = serde_json::to_string(&examination).unwrap();
        assert_eq!(serde_json::from_str::<Examination>(&json).unwrap(), examination);
    }
}
