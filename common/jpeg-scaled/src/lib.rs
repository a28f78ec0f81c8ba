//! Decodes JPEG at 1/8, 1/4, 3/8, 1/2 or full size into planes, and of the file only what that takes.
//!
//! A thumbnail needs little of a photo. At 1/8 a sample is a block's first coefficient, and the other 63 are passed over: a table says, for
//! the next 13 bits, how many whole coefficients are in them, so that several go with one look. At larger scales the lowest coefficients are
//! decoded and the rest is passed over in the same way. Of a progressive file the scans that bring only higher coefficients are not read.
//! Memory is a plane for each component at the size asked for, and of a progressive file the coefficients that this takes.
//!
//! ```
//! use jpeg_scaled::{Decoder, Options, Scale};
//!
//! # fn main() -> Result<(), jpeg_scaled::Error> {
//! # let bytes = include_bytes!("../tests/corpus/files/420-baseline.jpg");
//! let decoder = Decoder::new(bytes)?;
//! let header = decoder.header();
//! // The smallest scale at which the longer side has 16 samples or more.
//! let scale = Scale::at_least(header.width.max(header.height).into(), 16);
//! let picture = decoder.decode(&Options { scale, ..Options::default() })?;
//! println!("{} × {}", picture.planes[0].width, picture.planes[0].height);
//! # Ok(())
//! # }
//! ```
//!
//! A header may claim any size, and a small file of a large size takes long: a few bytes of a progressive scan stand for 32,767 blocks
//! without change, and there may be 100 scans. So look at [`Header::width`] and [`Header::height`], or at
//! [`Decoder::memory`], and refuse what is too large, before calling [`Decoder::decode`]. Nothing is allocated for pixels earlier, and
//! time is at most in proportion to the picture's blocks times its scans.
//!
//! Baseline and progressive files of eight bits and one, three or four components are decoded, with any sampling factors and with restart
//! markers. Planes come as they are stored: subsampled chroma stays small unless asked for otherwise, and inks stay inks, so that a resizer
//! and a colour profile can work on the little that is left. What is cut off or broken is an error, never half a picture.

mod baseline;
mod bits;
mod error;
mod frame;
mod header;
mod huffman;
mod idct;
mod progressive;
mod reader;
mod standard;
mod store;
mod tables;
mod target;

pub use error::Error;
pub use header::{Color, Component, Header};

use frame::Scan;
use reader::{Next, Reader};
use store::Store;
use target::Target;

/// How large the planes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Scale {
    /// One sample of a block: the mean of its 64.
    Eighth,
    /// Two across and down.
    Quarter,
    /// Three across and down.
    ThreeEighths,
    /// Four across and down.
    Half,
    /// All.
    #[default]
    Full,
}

impl Scale {
    /// All scales, from the smallest.
    pub const ALL: [Self; 5] = [Self::Eighth, Self::Quarter, Self::ThreeEighths, Self::Half, Self::Full];

    /// Samples of a block of eight, across and down.
    pub fn eighths(self) -> usize {
        match self {
            Self::Eighth => 1,
            Self::Quarter => 2,
            Self::ThreeEighths => 3,
            Self::Half => 4,
            Self::Full => 8,
        }
    }

    /// The smallest scale at which `length` pixels become `least` samples or more; [`Scale::Full`] when there is none.
    pub fn at_least(length: usize, least: usize) -> Self {
        Self::ALL
            .into_iter()
            .find(|scale| length.saturating_mul(scale.eighths()) >= least.saturating_mul(8))
            .unwrap_or_default()
    }
}

/// What is wanted of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// How large the planes are.
    pub scale: Scale,
    /// Decodes a component that is sampled at half the rate in both directions at twice the scale, so that its plane is as large as the
    /// others. Only where the scale can be doubled: not from 3/8, and not beyond full size.
    pub full_chroma: bool,
}

/// A component's samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// Samples across.
    pub width: usize,
    /// Samples down.
    pub height: usize,
    /// How much of `width` the picture covers: less than one sample less, where the scale does not divide its size.
    pub covered_width: f64,
    /// How much of `height` the picture covers.
    pub covered_height: f64,
    /// `width × height` samples, line by line.
    pub samples: Vec<u8>,
}

/// A decoded picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// One for each of the header's components.
    pub planes: Vec<Plane>,
    /// The first byte behind the picture's last marker.
    pub end: usize,
}

/// A picture whose header has been read.
#[derive(Debug, Clone)]
pub struct Decoder<'a> {
    reader: Reader<'a>,
    first: Scan,
    header: Header<'a>,
}

impl<'a> Decoder<'a> {
    /// Reads up to the first scan. Allocates nothing for pixels: some thousand bytes for tables, and the colour profile's size, 16 MiB at
    /// most.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it is cut off or broken so far, and [`Error::Unsupported`] when it is arithmetic, lossless, hierarchical, not
    /// of eight bits, of other than one, three or four components, or keeps its height for later (DNL).
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes)?;
        match reader.next()? {
            Next::Scan(first) => Ok(Self { header: reader.header()?, reader, first }),
            Next::End => error::damaged("it has no scan"),
        }
    }

    /// What the picture says of itself.
    pub fn header(&self) -> &Header<'a> {
        &self.header
    }

    /// The most that [`Decoder::decode`] allocates, in bytes, apart from some hundred thousand for its tables: a byte for each sample, in
    /// whole blocks, and of a progressive file two bytes for each coefficient that is kept and eight for each block. [`usize::MAX`] when it
    /// is more than that. Whoever decodes strangers' files compares it with a limit first.
    pub fn memory(&self, options: &Options) -> usize {
        let targets = Target::of(&self.header, options.scale, options.full_chroma);
        let kept = |target: &Target| if self.header.progressive { Store::bytes(target) } else { 0 };
        let bytes = |target: &Target| target.plane_bytes().saturating_add(kept(target));
        targets.iter().map(bytes).fold(0, usize::saturating_add)
    }

    /// Decodes the picture up to its last marker. Bytes behind that are not looked at: [`Picture::end`] says where they begin.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it is cut off or broken in what is read of it. At small scales of a progressive file that is not all of it:
    /// of scans that bring nothing which is kept, only the markers between them are read. And a progressive picture that properly ends
    /// after one of its first scans is whole, of less precision: nothing in it says that more was to come.
    pub fn decode(mut self, options: &Options) -> Result<Picture, Error> {
        let mut targets = Target::of(&self.header, options.scale, options.full_chroma);
        if self.header.progressive {
            self.decode_progressive(&mut targets)?;
        } else {
            let mut next = Next::Scan(self.first.clone());
            while let Next::Scan(scan) = next {
                let length = baseline::decode(self.reader.rest(), &scan, &self.reader.tables, &mut targets)?;
                self.reader.advance(length);
                next = self.reader.next()?;
            }
        }
        if targets.iter().any(|target| !target.begun) {
            return error::damaged("a component never comes");
        }
        Ok(Picture { planes: targets.into_iter().map(Target::finish).collect(), end: self.reader.place() })
    }

    fn decode_progressive(&mut self, targets: &mut [Target]) -> Result<(), Error> {
        let needed = self.needed_scans(targets)?;
        let mut stores: Vec<Store> = targets.iter().map(Store::new).collect();
        let mut next = Next::Scan(self.first.clone());
        let mut needed = needed.into_iter();
        while let Next::Scan(scan) = next {
            if needed.next() == Some(true) {
                let length = progressive::decode(self.reader.rest(), &scan, &self.reader.tables, targets, &mut stores)?;
                self.reader.advance(length);
            } else {
                self.reader.pass_scan();
            }
            next = self.reader.next()?;
        }
        for (store, target) in stores.into_iter().zip(targets) {
            store.render(target);
        }
        Ok(())
    }

    /// Looks ahead which scans bring what is kept.
    fn needed_scans(&self, targets: &[Target]) -> Result<Vec<bool>, Error> {
        let mut ahead = self.reader.clone();
        let mut scans = vec![self.first.clone()];
        loop {
            ahead.pass_scan();
            match ahead.next()? {
                Next::Scan(scan) => scans.push(scan),
                Next::End => break,
            }
            if scans.len() > MAX_SCANS {
                return error::damaged("it has more scans than a picture needs");
            }
        }
        let keep: Vec<u32> = targets.iter().map(Target::keep).collect();
        Ok(progressive::needed(&scans, &keep))
    }
}

/// The examples of README.md, which are to compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// So many cover every encoder. A small file of thousands would take minutes:
/// <https://libjpeg-turbo.org/pmwiki/uploads/About/TwoIssueswiththeJPEGStandard.pdf>
const MAX_SCANS: usize = 100;
