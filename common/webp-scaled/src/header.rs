//! The frame's header: sections 9.2 to 9.11 and 19.2.

use crate::Error;
use crate::bits::Bits;
use crate::tables::{AC_STEPS, BANDS, DC_STEPS, TOKEN_PROBS, TOKEN_UPDATE_PROBS};

/// Token probabilities by the place of the coefficient instead of its band; one place more, so that the one after the last
/// needs no test.
pub(crate) type Probs = [[[[u8; 11]; 3]; 17]; 4];

/// The steps of a segment's coefficients: of the DC, then of the others.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Steps {
    /// Luma.
    pub(crate) luma: [i16; 2],
    /// The second order, of the luma blocks' DCs.
    pub(crate) second: [i16; 2],
    /// Chroma.
    pub(crate) chroma: [i16; 2],
}

/// How the picture's edges are smoothed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Smoothing {
    /// Not at all.
    #[default]
    None,
    /// The simple filter: luma only.
    Simple,
    /// The normal filter.
    Normal,
}

/// The strength of the smoothing, by segment and by whether the macroblock is predicted in sub-blocks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Strength {
    /// Largest difference across an edge that is smoothed; 0 is no smoothing.
    pub(crate) edge: u8,
    /// Largest difference between neighbours on one side.
    pub(crate) interior: u8,
    /// A larger difference beside the edge is high variance.
    pub(crate) variance: u8,
}

/// Everything that precedes the macroblocks.
#[derive(Debug)]
pub(crate) struct Header<'a> {
    /// Luma pixels across.
    pub(crate) width: u16,
    /// Luma pixels down.
    pub(crate) height: u16,
    /// The first partition, from the first macroblock on.
    pub(crate) modes: Bits<'a>,
    /// The partitions of coefficients: 1, 2, 4 or 8.
    pub(crate) partitions: Vec<Bits<'a>>,
    /// The tree of the macroblocks' segments, when they say which is theirs.
    pub(crate) segment_probs: Option<[u8; 3]>,
    /// By segment.
    pub(crate) steps: [Steps; 4],
    /// Which filter.
    pub(crate) smoothing: Smoothing,
    /// By segment, then by whether there are sub-blocks.
    pub(crate) strengths: [[Strength; 2]; 4],
    /// The probability that a macroblock has coefficients, when it says so.
    pub(crate) skip_prob: Option<u8>,
    /// The token probabilities.
    pub(crate) probs: Box<Probs>,
}

/// Width and height of a key frame, from its first ten bytes.
pub(crate) fn size(frame: &[u8]) -> Result<(u16, u16), Error> {
    let Some(&[tag, _, _, 0x9d, 0x01, 0x2a, width_low, width_high, height_low, height_high]) =
        frame.first_chunk::<10>()
    else {
        return Err(Error::Damaged("no key frame"));
    };
    // One bit says that it is no key frame, three are the version, one that it is shown.
    if tag & 1 != 0 || (tag >> 1) & 7 > 3 || tag & 0x10 == 0 {
        return Err(Error::Damaged("not a key frame that is shown"));
    }
    // The two highest bits advise how to scale it up.
    let width = u16::from_le_bytes([width_low, width_high]) & 0x3fff;
    let height = u16::from_le_bytes([height_low, height_high]) & 0x3fff;
    if width == 0 || height == 0 {
        return Err(Error::Damaged("a frame without pixels"));
    }
    Ok((width, height))
}

/// Reads the header.
pub(crate) fn read(frame: &[u8]) -> Result<Header<'_>, Error> {
    let (width, height) = size(frame)?;
    let length = frame.first_chunk::<3>().map_or(0, |tag| u24(*tag) >> 5);
    let body = frame.get(10..).unwrap_or_default();
    let (first, rest) = body.split_at_checked(length).ok_or(Error::Damaged("the first partition is cut off"))?;
    let mut bits = Bits::new(first);
    // The colour space has one value; whether values may be clamped is for those who can save it.
    let (_space, _clamp) = (bits.flag(), bits.flag());
    let segments = segments(&mut bits);
    let (smoothing, strengths) = smoothing(&mut bits, &segments);
    let partitions = partitions(rest, bits.literal(2))?;
    let steps = steps(&mut bits, &segments);
    // Whether the probabilities outlive the frame.
    bits.flag();
    let probs = probs(&mut bits);
    let skip_prob = bits.flag().then(|| bits.literal(8));
    if bits.past_end() {
        return Err(Error::Damaged("the header is cut off"));
    }
    let segment_probs = segments.tree;
    Ok(Header { width, height, modes: bits, partitions, segment_probs, steps, smoothing, strengths, skip_prob, probs })
}

fn u24([low, middle, high]: [u8; 3]) -> usize {
    usize::from(low) | (usize::from(middle) << 8) | (usize::from(high) << 16)
}

/// Section 9.3.
#[derive(Debug, Default)]
struct Segments {
    enabled: bool,
    absolute: bool,
    quantizers: [i32; 4],
    levels: [i32; 4],
    tree: Option<[u8; 3]>,
}

fn segments(bits: &mut Bits<'_>) -> Segments {
    let mut segments = Segments { enabled: bits.flag(), ..Segments::default() };
    if !segments.enabled {
        return segments;
    }
    let has_tree = bits.flag();
    if bits.flag() {
        segments.absolute = bits.flag();
        segments.quantizers = std::array::from_fn(|_| bits.optional_signed(7));
        segments.levels = std::array::from_fn(|_| bits.optional_signed(6));
    }
    segments.tree = has_tree.then(|| std::array::from_fn(|_| if bits.flag() { bits.literal(8) } else { 255 }));
    segments
}

impl Segments {
    /// The frame's value changed or replaced by each segment's.
    fn apply(&self, frame: i32, own: [i32; 4]) -> [i32; 4] {
        match (self.enabled, self.absolute) {
            (false, _) => [frame; 4],
            (true, true) => own,
            (true, false) => own.map(|own| frame + own),
        }
    }
}

/// Sections 9.4 and 15.2 to 15.4; on a key frame one adjustment is for all macroblocks and one for those with sub-blocks.
fn smoothing(bits: &mut Bits<'_>, segments: &Segments) -> (Smoothing, [[Strength; 2]; 4]) {
    let simple = bits.flag();
    let level = i32::from(bits.literal(6));
    let sharpness = bits.literal(3);
    let mut adjust = [0, 0];
    if bits.flag() && bits.flag() {
        let adjustments: [i32; 8] = std::array::from_fn(|_| bits.optional_signed(6));
        adjust = [adjustments[0], adjustments[0] + adjustments[4]];
    }
    let smoothing = match (level, simple) {
        (0, _) => Smoothing::None,
        (_, true) => Smoothing::Simple,
        (_, false) => Smoothing::Normal,
    };
    let levels = segments.apply(level, segments.levels);
    (smoothing, levels.map(|level| adjust.map(|change| strength(level + change, sharpness))))
}

fn strength(level: i32, sharpness: u8) -> Strength {
    let level = u8::try_from(level.clamp(0, 63)).unwrap_or(0);
    if level == 0 {
        return Strength::default();
    }
    let mut interior = level;
    if sharpness > 0 {
        interior = (level >> if sharpness > 4 { 2 } else { 1 }).min(9 - sharpness);
    }
    let interior = interior.max(1);
    let variance = if level >= 40 { 2 } else { u8::from(level >= 15) };
    Strength { edge: 2 * level + interior, interior, variance }
}

/// Section 9.5: the sizes of all partitions but the last, then the partitions.
fn partitions(bytes: &[u8], log2: u8) -> Result<Vec<Bits<'_>>, Error> {
    let cut_off = Error::Damaged("a partition is cut off");
    let count = 1_usize << log2;
    let (sizes, mut rest) = bytes.split_at_checked(3 * (count - 1)).ok_or(cut_off)?;
    let mut partitions = Vec::with_capacity(count);
    for size in sizes.as_chunks::<3>().0 {
        let (partition, after) = rest.split_at_checked(u24(*size)).ok_or(cut_off)?;
        partitions.push(Bits::new(partition));
        rest = after;
    }
    partitions.push(Bits::new(rest));
    Ok(partitions)
}

/// Sections 9.6 and 14.1.
fn steps(bits: &mut Bits<'_>, segments: &Segments) -> [Steps; 4] {
    let base = i32::from(bits.literal(7));
    let [luma, second, second_others, chroma, chroma_others]: [i32; 5] =
        std::array::from_fn(|_| bits.optional_signed(4));
    let at = |table: &[i16; 128], index: i32| {
        let index = usize::try_from(index.clamp(0, 127)).unwrap_or(0);
        table.get(index).copied().unwrap_or(i16::MAX)
    };
    segments.apply(base, segments.quantizers).map(|base| Steps {
        luma: [at(&DC_STEPS, base + luma), at(&AC_STEPS, base)],
        second: [
            at(&DC_STEPS, base + second) * 2,
            i16::try_from(i32::from(at(&AC_STEPS, base + second_others)) * 155 / 100).unwrap_or(i16::MAX).max(8),
        ],
        chroma: [at(&DC_STEPS, base + chroma).min(132), at(&AC_STEPS, base + chroma_others)],
    })
}

/// Sections 9.9 and 13.4.
fn probs(bits: &mut Bits<'_>) -> Box<Probs> {
    let mut by_band = TOKEN_PROBS;
    let updates = TOKEN_UPDATE_PROBS.as_flattened().as_flattened().as_flattened();
    for (prob, update) in by_band.as_flattened_mut().as_flattened_mut().as_flattened_mut().iter_mut().zip(updates) {
        if bits.bit(*update) {
            *prob = bits.literal(8);
        }
    }
    let mut probs = Box::new([[[[0; 11]; 3]; 17]; 4]);
    for (places, bands) in probs.iter_mut().zip(&by_band) {
        for (place, band) in places.iter_mut().zip(BANDS.iter().chain(&[0])) {
            *place = bands.get(*band).copied().unwrap_or_default();
        }
    }
    probs
}
