//! Frame headers and the scan headers that refer to them (T.81, B.2.2 and B.2.3).

use crate::error::{Error, damaged};
use crate::header::Component;

/// How large the picture is, and what it is made of.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) progressive: bool,
    pub(crate) components: Vec<Component>,
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

impl Frame {
    /// Reads a frame header, whose marker is `marker`.
    pub(crate) fn new(marker: u8, body: &[u8]) -> Result<Self, Error> {
        let &[precision, height_high, height_low, width_high, width_low, count, ref rest @ ..] = body else {
            return damaged("a frame header is cut short");
        };
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
        Ok(Self { width, height, progressive: marker == 0xC2, components })
    }

    /// Reads a scan header.
    pub(crate) fn scan(&self, body: &[u8]) -> Result<Scan, Error> {
        let cut = Error::Damaged("a scan header is cut short");
        let (count, rest) = body.split_first().ok_or(cut.clone())?;
        let (pairs, rest) = rest.split_at_checked(usize::from(*count) * 2).ok_or(cut.clone())?;
        let &[first, last, precision, ..] = rest else { return Err(cut) };
        let mut parts: Vec<Part> = Vec::new();
        for &[id, tables] in pairs.as_chunks::<2>().0 {
            // There are files whose components all have one name: each is meant once.
            let is_new = |at: usize| parts.iter().all(|part| part.component != at);
            let mut components = self.components.iter().enumerate();
            let found = components.find(|(at, one)| one.id == id && is_new(*at));
            let (component, _) = found.ok_or(Error::Damaged("a scan of a component that there is not"))?;
            if tables >> 4 > 3 || tables & 15 > 3 {
                return damaged("a scan header's numbers are out of range");
            }
            parts.push(Part { component, dc_table: (tables >> 4).into(), ac_table: (tables & 15).into() });
        }
        let blocks = |part: &Part| self.components.get(part.component).map_or(0, |one| one.horizontal * one.vertical);
        let together: u8 = if parts.len() == 1 { 1 } else { parts.iter().map(blocks).sum() };
        if !(1..=10).contains(&together) {
            return damaged("a scan of too many blocks or none");
        }
        let (band, missing) = if self.progressive {
            ((first.into(), last.into()), ((precision >> 4).into(), (precision & 15).into()))
        } else {
            ((0, 63), (0, 0))
        };
        let (before, after) = missing;
        let valid = band.0 <= band.1 && band.1 < 64 && after <= 13 && (before == 0 || before == after + 1);
        let valid_progressive = if band.0 == 0 { band.1 == 0 } else { parts.len() == 1 };
        if !valid || (self.progressive && !valid_progressive) {
            return damaged("a scan header's numbers are out of range");
        }
        Ok(Scan { parts, band, missing })
    }
}
