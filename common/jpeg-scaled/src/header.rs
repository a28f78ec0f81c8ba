//! What stands before the scans and between them: sizes, components, tables, profile and EXIF.
//! <https://www.w3.org/Graphics/JPEG/itu-t81.pdf>, annex B.

use crate::bits::scan_length;
use crate::error::{Error, damaged};
use crate::huffman::Huffman;

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DQT: u8 = 0xDB;
const DRI: u8 = 0xDD;
const DHT: u8 = 0xC4;
const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;
const APP14: u8 = 0xEE;
/// The largest profile that is put together, in bytes.
const MAX_ICC_BYTES: usize = 16 << 20;

/// The place in a block's rows of each coefficient, in the order in which they are stored.
#[rustfmt::skip]
pub(crate) const ZIGZAG: [u8; 64] = [
     0,  1,  8, 16,  9,  2,  3, 10, 17, 24, 32, 25, 18, 11,  4,  5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13,  6,  7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// What the components are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// One component: greys.
    Gray,
    /// Luma and two chromas of the whole range from 0 to 255, as in JFIF (T.871).
    YCbCr,
    /// Red, green, blue.
    Rgb,
    /// Four inks as they are stored. With Adobe's marker, which is nearly always there, 255 is no ink.
    Cmyk {
        /// Whether Adobe's marker is there.
        inverted: bool,
    },
    /// Three inks' complement as luma and chromas, and black, as they are stored.
    Ycck {
        /// Whether Adobe's marker is there.
        inverted: bool,
    },
}

/// A component of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Component {
    /// Samples across, relative to other components', from 1 to 4.
    pub horizontal: u8,
    /// Samples down, relative to other components', from 1 to 4.
    pub vertical: u8,
    pub(crate) id: u8,
    pub(crate) quantization: u8,
}

/// What a JPEG says of itself before any pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// Pixels across, from 1 to 65,535.
    pub width: u16,
    /// Pixels down, from 1 to 65,535.
    pub height: u16,
    /// Whether the picture comes in scans of growing precision.
    pub progressive: bool,
    /// What the components are.
    pub color: Color,
    /// One, three or four.
    pub components: Vec<Component>,
    /// The first EXIF block, from its byte order mark on.
    pub exif: Option<&'a [u8]>,
    /// The colour profile, put together from its parts; `None` when one of them is missing.
    pub icc: Option<Vec<u8>>,
}

impl Header<'_> {
    /// The components' largest sampling factors.
    pub(crate) fn sampling(&self) -> (usize, usize) {
        let largest = |of: fn(&Component) -> u8| self.components.iter().map(of).max().unwrap_or(1).into();
        (largest(|one| one.horizontal), largest(|one| one.vertical))
    }
}

/// A component's part in a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its place among the picture's components.
    pub(crate) component: usize,
    pub(crate) dc_table: usize,
    pub(crate) ac_table: usize,
}

/// A scan's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scan {
    pub(crate) parts: Vec<Part>,
    /// The first and the last coefficient, in zigzag order.
    pub(crate) band: (u32, u32),
    /// Bits of precision that are still missing before and after the scan.
    pub(crate) missing: (u32, u32),
}

/// What the segments between scans define. It holds until it is defined again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    pub(crate) quantization: [Option<[u16; 64]>; 4],
    pub(crate) dc: [Option<Huffman>; 4],
    pub(crate) ac: [Option<Huffman>; 4],
    /// In minimum coded units; 0 for none.
    pub(crate) restart_interval: usize,
}

/// What comes next in a file.
#[derive(Debug)]
pub(crate) enum Next {
    /// A scan, whose data begins at the reader's place.
    Scan(Scan),
    /// The end of the picture.
    End,
}

/// Walks a file's segments.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    pub(crate) tables: Tables,
    frame: Option<Frame>,
    adobe: Option<u8>,
    jfif: bool,
    exif: Option<&'a [u8]>,
    icc: Vec<(u8, u8, &'a [u8])>,
}

#[derive(Debug, Clone)]
struct Frame {
    width: u16,
    height: u16,
    progressive: bool,
    components: Vec<Component>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        if !bytes.starts_with(&[0xFF, SOI]) {
            return damaged("it does not begin like a JPEG");
        }
        let tables = Tables::default();
        Ok(Self { bytes, at: 2, tables, frame: None, adobe: None, jfif: false, exif: None, icc: Vec::new() })
    }

    /// The bytes from the reader's place on.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// How many bytes have been read.
    pub(crate) fn place(&self) -> usize {
        self.at
    }

    /// Moves on by `count` bytes.
    pub(crate) fn advance(&mut self, count: usize) {
        self.at += count;
    }

    /// Moves behind a scan's data without decoding it.
    pub(crate) fn pass_scan(&mut self) {
        loop {
            let rest = self.rest();
            let length = scan_length(rest);
            self.at += length;
            match rest.get(length + 1) {
                Some(0xD0..=0xD7) => self.at += 2,
                Some(0xFF) => self.at += 1,
                Some(_) | None => return,
            }
        }
    }

    /// Reads segments up to the next scan or the end.
    pub(crate) fn next(&mut self) -> Result<Next, Error> {
        loop {
            match self.marker()? {
                EOI => return Ok(Next::End),
                0x01 | SOI | 0xD0..=0xD7 => {}
                marker => {
                    let body = self.body()?;
                    match marker {
                        SOS => return Ok(Next::Scan(self.scan(body)?)),
                        DQT => self.quantization(body)?,
                        DHT => self.huffman(body)?,
                        DRI => match body {
                            [high, low, ..] => self.tables.restart_interval = u16::from_be_bytes([*high, *low]).into(),
                            _ => return damaged("a restart interval without a number"),
                        },
                        0xC0..=0xCF if marker != 0xC8 && marker != 0xCC => self.frame(marker, body)?,
                        0xE0 if body.starts_with(b"JFIF\0") => self.jfif = true,
                        APP1 => {
                            if let Some(exif) = body.strip_prefix(b"Exif\0\0") {
                                self.exif.get_or_insert(exif);
                            }
                        }
                        APP2 => {
                            if let Some([number, count, part @ ..]) = body.strip_prefix(b"ICC_PROFILE\0") {
                                self.icc.push((*number, *count, part));
                            }
                        }
                        APP14 => {
                            if let Some([_, _, _, _, _, _, transform, ..]) = body.strip_prefix(b"Adobe") {
                                self.adobe = Some(*transform);
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    /// The next marker. Cameras write odd bytes between segments: they are passed over.
    fn marker(&mut self) -> Result<u8, Error> {
        loop {
            let Some(found) = memchr::memchr(0xFF, self.rest()) else {
                return damaged("it ends without a last marker");
            };
            self.at += found + 1;
            match self.rest().first() {
                Some(0xFF) => {}
                Some(0x00) => self.at += 1,
                Some(marker) => {
                    self.at += 1;
                    return Ok(*marker);
                }
                None => return damaged("it ends without a last marker"),
            }
        }
    }

    fn body(&mut self) -> Result<&'a [u8], Error> {
        let cut = Error::Damaged("it ends in the middle of a segment");
        let (length, _) = self.rest().split_first_chunk().ok_or(cut.clone())?;
        let length = usize::from(u16::from_be_bytes(*length));
        let body = self.rest().get(2..length).ok_or(if length < 2 {
            Error::Damaged("a segment of no length")
        } else {
            cut
        })?;
        self.at += length;
        Ok(body)
    }

    fn quantization(&mut self, mut body: &[u8]) -> Result<(), Error> {
        let cut = Error::Damaged("a quantization table is cut short");
        while let Some((kind, rest)) = body.split_first() {
            let mut table = [0; 64];
            let length = if kind >> 4 == 0 { 64 } else { 128 };
            let (values, rest) = rest.split_at_checked(length).ok_or(cut.clone())?;
            if length == 64 {
                table = std::array::from_fn(|at| values.get(at).copied().unwrap_or_default().into());
            } else {
                for (to, from) in table.iter_mut().zip(values.as_chunks().0) {
                    *to = u16::from_be_bytes(*from);
                }
            }
            let place = self.tables.quantization.get_mut(usize::from(kind & 15));
            *place.ok_or(Error::Damaged("a quantization table of a number that there is not"))? = Some(table);
            body = rest;
        }
        Ok(())
    }

    fn huffman(&mut self, mut body: &[u8]) -> Result<(), Error> {
        let cut = Error::Damaged("a Huffman table is cut short");
        while let Some((kind, rest)) = body.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or(cut.clone())?;
            let length = counts.iter().map(|count| usize::from(*count)).sum();
            let (symbols, rest) = rest.split_at_checked(length).ok_or(cut.clone())?;
            let kinds = if kind >> 4 == 0 { &mut self.tables.dc } else { &mut self.tables.ac };
            let place = kinds.get_mut(usize::from(kind & 15));
            let place = place.ok_or(Error::Damaged("a Huffman table of a number that there is not"))?;
            *place = Some(Huffman::new(counts, symbols)?);
            body = rest;
        }
        Ok(())
    }

    fn frame(&mut self, marker: u8, body: &[u8]) -> Result<(), Error> {
        let &[precision, height_high, height_low, width_high, width_low, count, ref rest @ ..] = body else {
            return damaged("a frame header is cut short");
        };
        if self.frame.is_some() {
            return damaged("it has two frame headers");
        }
        let (width, height) =
            (u16::from_be_bytes([width_high, width_low]), u16::from_be_bytes([height_high, height_low]));
        if !matches!(marker, 0xC0..=0xC2) {
            return Err(Error::Unsupported("an arithmetic, lossless or hierarchical coding"));
        }
        if precision != 8 {
            return Err(Error::Unsupported("samples of other than 8 bits"));
        }
        if !matches!(count, 1 | 3 | 4) {
            return Err(Error::Unsupported("other than one, three or four components"));
        }
        if height == 0 {
            return Err(Error::Unsupported("a height that follows the first scan"));
        }
        let mut components = Vec::new();
        for &[id, sampling, quantization] in rest.as_chunks::<3>().0.iter().take(count.into()) {
            let (horizontal, vertical) = (sampling >> 4, sampling & 15);
            if !(1..=4).contains(&horizontal) || !(1..=4).contains(&vertical) || quantization > 3 {
                return damaged("a component's numbers are out of range");
            }
            components.push(Component { horizontal, vertical, id, quantization });
        }
        if components.len() != usize::from(count) || width == 0 {
            return damaged("a frame header is cut short");
        }
        // Sampling factors are relative: alone, a component has all samples (T.81, A.2.2).
        if let [only] = components.as_mut_slice() {
            (only.horizontal, only.vertical) = (1, 1);
        }
        self.frame = Some(Frame { width, height, progressive: marker == 0xC2, components });
        Ok(())
    }

    fn scan(&self, body: &[u8]) -> Result<Scan, Error> {
        let cut = Error::Damaged("a scan header is cut short");
        let frame = self.frame.as_ref().ok_or(Error::Damaged("a scan before the frame header"))?;
        let (count, rest) = body.split_first().ok_or(cut.clone())?;
        let (pairs, rest) = rest.split_at_checked(usize::from(*count) * 2).ok_or(cut.clone())?;
        let &[first, last, precision, ..] = rest else { return Err(cut) };
        let mut parts: Vec<Part> = Vec::new();
        for &[id, tables] in pairs.as_chunks::<2>().0 {
            let component = frame.components.iter().position(|one| one.id == id);
            let component = component.ok_or(Error::Damaged("a scan of a component that there is not"))?;
            if parts.iter().any(|part| part.component >= component) || tables >> 4 > 3 || tables & 15 > 3 {
                return damaged("a scan header's numbers are out of range");
            }
            parts.push(Part { component, dc_table: (tables >> 4).into(), ac_table: (tables & 15).into() });
        }
        let blocks = |part: &Part| frame.components.get(part.component).map_or(0, |one| one.horizontal * one.vertical);
        let together: u8 = if parts.len() == 1 { 1 } else { parts.iter().map(blocks).sum() };
        if !(1..=10).contains(&together) {
            return damaged("a scan of too many blocks or none");
        }
        let (band, missing) = if frame.progressive {
            ((first.into(), last.into()), ((precision >> 4).into(), (precision & 15).into()))
        } else {
            ((0, 63), (0, 0))
        };
        let (before, after) = missing;
        let valid = band.0 <= band.1 && band.1 < 64 && after <= 13 && (before == 0 || before == after + 1);
        let valid_progressive = if band.0 == 0 { band.1 == 0 } else { parts.len() == 1 };
        if !valid || (frame.progressive && !valid_progressive) {
            return damaged("a scan header's numbers are out of range");
        }
        Ok(Scan { parts, band, missing })
    }

    /// What is known when the first scan has come.
    pub(crate) fn header(&self) -> Result<Header<'a>, Error> {
        let frame = self.frame.clone().ok_or(Error::Damaged("there is no frame header"))?;
        let ids: Vec<u8> = frame.components.iter().map(|one| one.id).collect();
        let inverted = self.adobe.is_some();
        let color = match (frame.components.len(), self.adobe) {
            (1, _) => Color::Gray,
            (3, Some(0)) => Color::Rgb,
            (3, None) if !self.jfif && ids == *b"RGB" => Color::Rgb,
            (3, _) => Color::YCbCr,
            (_, Some(2)) => Color::Ycck { inverted },
            (_, _) => Color::Cmyk { inverted },
        };
        Ok(Header {
            width: frame.width,
            height: frame.height,
            progressive: frame.progressive,
            color,
            components: frame.components,
            exif: self.exif,
            icc: self.profile(),
        })
    }

    /// The profile, if all of its parts are there.
    fn profile(&self) -> Option<Vec<u8>> {
        let (_, count, _) = self.icc.first()?;
        let mut profile = Vec::new();
        for number in 1..=*count {
            let (_, _, part) = self.icc.iter().find(|part| part.0 == number)?;
            profile.extend_from_slice(part);
            if profile.len() > MAX_ICC_BYTES {
                return None;
            }
        }
        Some(profile)
    }
}
