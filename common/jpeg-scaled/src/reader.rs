//! The segments of a file, one after the other: <https://www.w3.org/Graphics/JPEG/itu-t81.pdf>, annex B.

use crate::bits::scan_length;
use crate::error::{Error, damaged};
use crate::frame::{Frame, Scan};
use crate::header::{Color, Header};
use crate::tables::Tables;

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DQT: u8 = 0xDB;
const DRI: u8 = 0xDD;
const DHT: u8 = 0xC4;
/// These two are among the frame headers' numbers and are none.
const JPG: u8 = 0xC8;
const DAC: u8 = 0xCC;
const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;
const APP14: u8 = 0xEE;
/// The largest profile that is put together, in bytes.
const MAX_ICC_BYTES: usize = 16 << 20;

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
                        DQT => self.tables.define_quantization(body)?,
                        DHT => self.tables.define_huffman(body)?,
                        DRI => match body {
                            [high, low, ..] => self.tables.restart_interval = u16::from_be_bytes([*high, *low]).into(),
                            _ => return damaged("a restart interval without a number"),
                        },
                        0xC0..=0xCF if marker != JPG && marker != DAC => self.frame(marker, body)?,
                        0xE0 if body.starts_with(b"JFIF\0") => self.jfif = true,
                        APP1 => {
                            if let Some(exif) = body.strip_prefix(b"Exif\0\0") {
                                self.exif.get_or_insert(exif);
                            }
                        }
                        APP2 => {
                            if let Some([number, count, part @ ..]) = body.strip_prefix(b"ICC_PROFILE\0") {
                                // Numbers are of one byte, so there are no more parts than this.
                                if self.icc.len() < 255 {
                                    self.icc.push((*number, *count, part));
                                }
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

    fn frame(&mut self, marker: u8, body: &[u8]) -> Result<(), Error> {
        if self.frame.is_some() {
            return damaged("it has two frame headers");
        }
        self.frame = Some(Frame::new(marker, body)?);
        Ok(())
    }

    fn scan(&mut self, body: &[u8]) -> Result<Scan, Error> {
        let frame = self.frame.as_ref().ok_or(Error::Damaged("a scan before the frame header"))?;
        let scan = frame.scan(body)?;
        if !frame.progressive {
            self.tables.complete(&scan)?;
        }
        Ok(scan)
    }

    /// What is known when the first scan has come.
    pub(crate) fn header(&self) -> Result<Header<'a>, Error> {
        let frame = self.frame.clone().ok_or(Error::Damaged("there is no frame header"))?;
        Ok(Header {
            width: frame.width,
            height: frame.height,
            progressive: frame.progressive,
            color: Color::of(&frame.components, self.jfif, self.adobe),
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
