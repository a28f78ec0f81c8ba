//! Scans of growing precision: of a block only the lowest coefficients are kept, and of the others whether they are there, since the
//! length of later scans depends on it.

#![expect(clippy::inline_always, reason = "a block takes some tens of nanoseconds: calls would be a good part of them")]
#![expect(
    clippy::cast_possible_truncation,
    reason = "coefficients are of 16 bits: what broken files put above them is cut off"
)]

use crate::baseline::units;
use crate::bits::Bits;
use crate::error::{Error, damaged};
use crate::frame::Scan;
use crate::huffman::Huffman;
use crate::store::Store;
use crate::tables::Tables;
use crate::target::Target;

/// Which of `scans` have to be read so that the first `keep` coefficients of each component are whole: those that bring some of them, and
/// those whose coefficients a later one of these refines together with them.
pub(crate) fn needed(scans: &[Scan], keep: &[u32]) -> Vec<bool> {
    let mut reach = keep.to_vec();
    let mut needed: Vec<bool> = scans
        .iter()
        .rev()
        .map(|scan| {
            let mut is_needed = false;
            for part in &scan.parts {
                let Some(reach) = reach.get_mut(part.component) else { continue };
                if scan.band.0 < *reach {
                    is_needed = true;
                    if scan.missing.0 > 0 {
                        *reach = (*reach).max(scan.band.1 + 1);
                    }
                }
            }
            is_needed
        })
        .collect();
    needed.reverse();
    needed
}

/// What a scan reads with.
struct Coder<'t> {
    bits: Bits<'t>,
    ac: Option<&'t Huffman>,
    first: u32,
    last: u32,
    /// How far a bit of this scan is from the lowest.
    shift: u32,
    /// So many blocks more have nothing new in this scan.
    empty: u32,
}

/// Decodes a scan into `stores`. Answers how many bytes of `source` it takes.
pub(crate) fn decode(
    source: &[u8],
    scan: &Scan,
    tables: &Tables,
    targets: &mut [Target],
    stores: &mut [Store],
) -> Result<usize, Error> {
    let is_dc = scan.band.0 == 0;
    let is_refinement = scan.missing.0 > 0;
    let mut dc = Vec::new();
    for part in &scan.parts {
        let Some(target) = targets.get_mut(part.component) else { return damaged("a scan of no component") };
        target.begin(&tables.quantization)?;
        if is_dc {
            target.begun = true;
        }
        let table = tables.dc.get(part.dc_table).and_then(Option::as_ref);
        if is_dc && !is_refinement && table.is_none() {
            return damaged("a scan without a Huffman table");
        }
        dc.push((part.component, table, 0_i32));
    }
    let ac = scan.parts.first().and_then(|part| tables.ac.get(part.ac_table)).and_then(Option::as_ref);
    let (first, last) = scan.band;
    let mut coder = Coder { bits: Bits::new(source), ac, first, last, shift: scan.missing.1, empty: 0 };
    let (across, down) = units(scan, targets);
    let mut left = tables.restart_interval;
    let alone = scan.parts.len() == 1;
    for row in 0..down {
        for column in 0..across {
            if tables.restart_interval > 0 {
                if left == 0 {
                    coder.bits.restart()?;
                    left = tables.restart_interval;
                    coder.empty = 0;
                    for (_, _, before) in &mut dc {
                        *before = 0;
                    }
                }
                left -= 1;
            }
            coder.bits.prepare();
            for (component, table, before) in &mut dc {
                let (Some(target), Some(store)) = (targets.get(*component), stores.get_mut(*component)) else {
                    continue;
                };
                let (wide, high) = if alone { (1, 1) } else { target.unit };
                for line in 0..high {
                    for place in 0..wide {
                        let number = (row * high + line) * target.padded.0 + column * wide + place;
                        let at = number * store.keep;
                        let Some(kept) = store.kept.get_mut(at..at + store.keep) else { continue };
                        match (is_dc, is_refinement, store.there.get_mut(number)) {
                            (true, false, _) => coder.first_dc(*table, before, kept)?,
                            (true, true, _) => coder.refine_dc(kept),
                            (false, false, Some(there)) => coder.first_ac(kept, there)?,
                            (false, true, Some(there)) => coder.refine_ac(kept, there)?,
                            (false, _, None) => {}
                        }
                    }
                }
            }
            if coder.bits.overran() {
                return damaged("a scan ends before its picture");
            }
        }
    }
    coder.bits.finish()
}

impl Coder<'_> {
    #[inline(always)]
    fn first_dc(&mut self, table: Option<&Huffman>, before: &mut i32, kept: &mut [i16]) -> Result<(), Error> {
        let Some(table) = table else { return damaged("a scan without a Huffman table") };
        *before = before.wrapping_add(table.difference(&mut self.bits)?);
        if let Some(first) = kept.first_mut() {
            *first = (*before << self.shift) as i16;
        }
        Ok(())
    }

    #[inline(always)]
    fn refine_dc(&mut self, kept: &mut [i16]) {
        let bit = self.bits.take(1);
        if let Some(first) = kept.first_mut() {
            *first |= (bit << self.shift) as i16;
        }
    }

    /// The code that is next, as a run and a size.
    #[inline(always)]
    fn symbol(&mut self) -> Result<(u32, u32), Error> {
        let Some(table) = self.ac else { return damaged("a scan without a Huffman table") };
        self.bits.refill();
        let (length, symbol) = table.symbol(self.bits.window())?;
        self.bits.consume(length);
        Ok((u32::from(symbol >> 4), u32::from(symbol & 15)))
    }

    #[inline(always)]
    fn first_ac(&mut self, kept: &mut [i16], there: &mut u64) -> Result<(), Error> {
        if self.empty > 0 {
            self.empty -= 1;
            return Ok(());
        }
        let mut place = self.first;
        while place <= self.last {
            let (run, size) = self.symbol()?;
            if size == 0 {
                if run < 15 {
                    self.empty = (1 << run) - 1 + self.bits.take(run);
                    return Ok(());
                }
                place += 16;
                continue;
            }
            place += run;
            if place > self.last {
                return damaged("a block has more coefficients than its scan");
            }
            let value = Bits::extend(self.bits.window(), size);
            self.bits.consume(size);
            if let Some(kept) = kept.get_mut(place as usize) {
                *kept = (value << self.shift) as i16;
            }
            *there |= 1 << (place & 63);
            place += 1;
        }
        if place > self.last + 1 { damaged("a block has more coefficients than its scan") } else { Ok(()) }
    }

    #[inline(always)]
    fn refine_ac(&mut self, kept: &mut [i16], there: &mut u64) -> Result<(), Error> {
        let mut place = self.first;
        if self.empty == 0 {
            while place <= self.last {
                let (run, size) = self.symbol()?;
                let mut new = 0;
                if size == 0 {
                    if run < 15 {
                        self.empty = (1 << run) + self.bits.take(run);
                        break;
                    }
                } else if size == 1 {
                    new = if self.bits.take(1) == 1 { 1_i16 } else { -1 } << self.shift;
                } else {
                    return damaged("a refinement of more than one bit");
                }
                let end = self.after_zeros(place, run, *there);
                self.correct(kept, *there, place, end);
                if new != 0 {
                    if end > self.last {
                        return damaged("a block has more coefficients than its scan");
                    }
                    if let Some(kept) = kept.get_mut(end as usize) {
                        *kept = new;
                    }
                    *there |= 1 << (end & 63);
                }
                place = end + 1;
            }
        }
        if self.empty > 0 {
            if place <= self.last {
                self.correct(kept, *there, place, self.last + 1);
            }
            self.empty -= 1;
        }
        Ok(())
    }

    /// The place of the zero that follows `run` zeros from `place` on; behind the last place when there are fewer.
    #[inline(always)]
    fn after_zeros(&self, place: u32, run: u32, there: u64) -> u32 {
        // Zeros from `place` to the last.
        let mut zeros = !there & (u64::MAX << (place & 63)) & (u64::MAX >> (63 - self.last));
        for _ in 0..run {
            zeros &= zeros.wrapping_sub(1);
        }
        if zeros == 0 { self.last + 1 } else { zeros.trailing_zeros() }
    }

    /// Reads a bit for each coefficient from `place` to before `end` that is there. Of those that are not kept it is passed over.
    #[inline(always)]
    fn correct(&mut self, kept: &mut [i16], there: u64, place: u32, end: u32) {
        if place >= end {
            return;
        }
        let mut to_correct = there & (u64::MAX << (place & 63)) & (u64::MAX >> (64 - end));
        while to_correct != 0 {
            let Some(value) = kept.get_mut(to_correct.trailing_zeros() as usize) else {
                self.bits.skip(to_correct.count_ones());
                return;
            };
            if self.bits.take(1) == 1 && (*value >> self.shift) & 1 == 0 {
                *value = value.wrapping_add(value.signum() << self.shift);
            }
            to_correct &= to_correct - 1;
        }
    }
}
