//! A scan of whole blocks: the lowest coefficients are read, and the others passed over.

use crate::bits::Bits;
use crate::error::{Error, damaged};
use crate::header::{Scan, Tables};
use crate::huffman::{Huffman, Skipper};
use crate::target::{Target, natural};

/// A component's part in the scan.
struct Coder<'t> {
    target: usize,
    dc: &'t Huffman,
    ac: &'t Huffman,
    skipper: Option<Skipper>,
    quantization: [f32; 64],
    keep: u32,
    /// The first coefficient of the block before.
    before: i32,
    /// Blocks of a minimum coded unit.
    unit: (usize, usize),
}

/// Decodes a scan into `targets`. Answers how many bytes of `source` it takes.
pub(crate) fn decode(source: &[u8], scan: &Scan, tables: &Tables, targets: &mut [Target]) -> Result<usize, Error> {
    let mut coders = coders(scan, tables, targets)?;
    let (across, down) = units(scan, targets);
    let mut bits = Bits::new(source);
    let mut block = [0.0_f32; 64];
    let mut left = tables.restart_interval;
    let mut restarts = 0_u8;
    for row in 0..down {
        for column in 0..across {
            if tables.restart_interval > 0 {
                if left == 0 {
                    bits.restart(restarts)?;
                    restarts = (restarts + 1) & 7;
                    left = tables.restart_interval;
                    coders.iter_mut().for_each(|coder| coder.before = 0);
                }
                left -= 1;
            }
            bits.prepare();
            for coder in &mut coders {
                let Some(target) = targets.get_mut(coder.target) else { continue };
                let (wide, high) = coder.unit;
                for line in 0..high {
                    for place in 0..wide {
                        let plain = coder.block(&mut bits, &mut block)?;
                        target.put(column * wide + place, row * high + line, &block, plain);
                        if !plain {
                            block = [0.0; 64];
                        }
                    }
                }
            }
            if bits.overran() {
                return damaged("a scan ends before its picture");
            }
        }
    }
    bits.finish()
}

fn coders<'t>(scan: &Scan, tables: &'t Tables, targets: &mut [Target]) -> Result<Vec<Coder<'t>>, Error> {
    let mut coders = Vec::new();
    for part in &scan.parts {
        let Some(target) = targets.get_mut(part.component) else { return damaged("a scan of no component") };
        if std::mem::replace(&mut target.begun, true) {
            return damaged("a component comes twice");
        }
        target.begin(&tables.quantization)?;
        let (Some(Some(dc)), Some(Some(ac))) = (tables.dc.get(part.dc_table), tables.ac.get(part.ac_table)) else {
            return damaged("a scan without a Huffman table");
        };
        let keep = target.keep();
        let skipper = if keep < 64 { Some(Skipper::new(ac)) } else { None };
        let unit = if scan.parts.len() == 1 { (1, 1) } else { target.unit };
        let quantization = target.quantization();
        coders.push(Coder { target: part.component, dc, ac, skipper, quantization, keep, before: 0, unit });
    }
    Ok(coders)
}

/// Minimum coded units across and down: alone, a component comes block by block (T.81, A.2).
pub(crate) fn units(scan: &Scan, targets: &[Target]) -> (usize, usize) {
    let first = scan.parts.first().and_then(|part| targets.get(part.component));
    match (first, scan.parts.len()) {
        (None, _) => (0, 0),
        (Some(target), 1) => target.own,
        (Some(target), _) => (target.padded.0 / target.unit.0, target.padded.1 / target.unit.1),
    }
}

impl Coder<'_> {
    /// Reads a block. Answers whether only its first coefficient was put into `block`, which is zero before but for that one.
    #[inline(always)]
    fn block(&mut self, bits: &mut Bits<'_>, block: &mut [f32; 64]) -> Result<bool, Error> {
        bits.refill();
        let (length, size) = self.dc.symbol(bits.window())?;
        let size = u32::from(size & 15);
        bits.consume(length);
        self.before = self.before.wrapping_add(Bits::extend(bits.window(), size));
        bits.consume(size);
        block[0] = self.before as f32 * self.quantization[0];
        let (mut place, mut plain) = (1, true);
        while place < self.keep {
            bits.refill();
            let (length, symbol) = self.ac.symbol(bits.window())?;
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            bits.consume(length);
            if size == 0 {
                if run < 15 {
                    return Ok(plain);
                }
                place += 16;
                continue;
            }
            place += run;
            let value = Bits::extend(bits.window(), size);
            bits.consume(size);
            if place < self.keep {
                let at = place as usize;
                block[natural(at) & 63] = value as f32 * self.quantization[at & 63];
                plain = false;
            }
            place += 1;
        }
        match &self.skipper {
            Some(skipper) if place < 64 => skipper.pass(self.ac, bits, place)?,
            _ if place > 64 => return damaged("a block has more than 64 coefficients"),
            _ => {}
        }
        Ok(plain)
    }
}
