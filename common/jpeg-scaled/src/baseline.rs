//! A scan of whole blocks: the lowest coefficients are read, and the others passed over.

#![expect(clippy::inline_always, reason = "a block takes some tens of nanoseconds: calls would be a good part of them")]
#![expect(clippy::cast_precision_loss, reason = "coefficients are of 16 bits: sums beyond 24 are of broken files")]

use crate::bits::Bits;
use crate::error::{Error, damaged};
use crate::frame::Scan;
use crate::huffman::{END_OF_BLOCK, Huffman, Skipper, Values};
use crate::idct::{Block, Pictures};
use crate::tables::Tables;
use crate::target::{Samples, Target};

/// A component's part in the scan.
struct Coder<'t> {
    target: usize,
    dc: &'t Huffman,
    ac: &'t Huffman,
    values: Values,
    skipper: Skipper,
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
    let mut left = tables.restart_interval;
    for row in 0..down {
        for column in 0..across {
            if tables.restart_interval > 0 {
                if left == 0 {
                    bits.restart()?;
                    left = tables.restart_interval;
                    for coder in &mut coders {
                        coder.before = 0;
                    }
                }
                left -= 1;
            }
            bits.prepare();
            for coder in &mut coders {
                let Some(target) = targets.get_mut(coder.target) else { continue };
                let (wide, high) = coder.unit;
                for line in 0..high {
                    for place in 0..wide {
                        let at = (column * wide + place, row * high + line);
                        coder.block(&mut bits, target, at)?;
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
    let mut coders: Vec<Coder<'t>> = Vec::new();
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
        let unit = if scan.parts.len() == 1 { (1, 1) } else { target.unit };
        // Chroma's components nearly always have the same table, and making these takes as long as thousands of blocks.
        let same = coders.iter().find(|coder| std::ptr::eq(coder.ac, ac));
        let (values, skipper) = same
            .map_or_else(|| (Values::new(ac), Skipper::new(ac)), |coder| (coder.values.clone(), coder.skipper.clone()));
        coders.push(Coder { target: part.component, dc, ac, values, skipper, keep, before: 0, unit });
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
    /// Reads a block and puts it where it belongs.
    #[inline(always)]
    fn block(&mut self, bits: &mut Bits<'_>, target: &mut Target, (column, row): (usize, usize)) -> Result<(), Error> {
        let canvas = &mut target.canvas;
        match &target.samples {
            None => {}
            Some(Samples::One { step }) => {
                let dc = self.first(bits)? * step;
                self.skipper.pass(self.ac, bits, 1)?;
                canvas.put::<1, 1>(column, row, &[0.0], Some(dc));
            }
            Some(Samples::Two(pictures)) => {
                let (sums, plain) = self.add_up(bits, pictures)?;
                canvas.put::<2, 4>(column, row, &sums, plain);
            }
            Some(Samples::Three(pictures)) => {
                let (sums, plain) = self.add_up(bits, pictures)?;
                canvas.put::<3, 9>(column, row, &sums, plain);
            }
            Some(Samples::Four(pictures)) => {
                let (sums, plain) = self.add_up(bits, pictures)?;
                canvas.put::<4, 16>(column, row, &sums, plain);
            }
            Some(Samples::Eight { cosines, steps }) => {
                let mut block = Block::new(self.first(bits)?, steps);
                self.others(bits, |place, value| block.set(place, value, steps))?;
                let (samples, plain) = block.samples(cosines);
                canvas.put::<8, 64>(column, row, &samples, plain);
            }
        }
        Ok(())
    }

    /// The first coefficient, in steps.
    #[inline(always)]
    fn first(&mut self, bits: &mut Bits<'_>) -> Result<f32, Error> {
        self.before = self.before.wrapping_add(self.dc.difference(bits)?);
        Ok(self.before as f32)
    }

    /// The sum of the block's kept coefficients; and the first one, where it is the only one.
    #[inline(always)]
    fn add_up<const S: usize>(
        &mut self,
        bits: &mut Bits<'_>,
        pictures: &Pictures<S>,
    ) -> Result<([f32; S], Option<f32>), Error> {
        let first = self.first(bits)?;
        let mut sums = [0.0; S];
        pictures.add(&mut sums, 0, first);
        let mut only = true;
        self.others(bits, |place, value| {
            pictures.add(&mut sums, place, value);
            only = false;
        })?;
        Ok((sums, only.then(|| pictures.flat(first))))
    }

    /// Reads the coefficients behind the first, hands over those that are kept, and passes over the rest.
    #[inline(always)]
    fn others(&mut self, bits: &mut Bits<'_>, mut keep: impl FnMut(u32, f32)) -> Result<(), Error> {
        let mut place = 1;
        while place < self.keep {
            bits.refill();
            let (run, value) = self.values.next(self.ac, bits)?;
            place += run;
            if value != 0 && place < self.keep {
                keep(place, value as f32);
            }
            place += 1;
        }
        match place {
            ..64 => self.skipper.pass(self.ac, bits, place),
            64 | END_OF_BLOCK.. => Ok(()),
            65.. => damaged("a block has more than 64 coefficients"),
        }
    }
}
