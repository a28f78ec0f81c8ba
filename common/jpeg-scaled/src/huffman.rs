//! Huffman tables: one symbol at a time, or as many whole coefficients as fit, at once.

#![expect(clippy::inline_always, reason = "a block takes some tens of nanoseconds: calls would be a good part of them")]
#![expect(
    clippy::cast_possible_truncation,
    reason = "lengths, runs and values are packed into entries of a few bits each"
)]

use std::rc::Rc;

use crate::bits::Bits;
use crate::error::{Error, damaged};

/// Bits of a code that are looked up at once.
const LOOK: u32 = 10;
/// Bits that the table of skips is indexed by.
const SKIP: u32 = 13;
/// An entry of that table that says: one symbol at a time here.
const SINGLY: u16 = 64 << 8;

/// A table as the file defines it (T.81, B.2.4.2 and annex C).
#[derive(Debug, Clone)]
pub(crate) struct Huffman {
    /// By the next [`LOOK`] bits: the code's length in the low byte and its symbol in the high one; 0 for longer codes.
    look: Box<[u16; 1 << LOOK]>,
    /// By a code's length: one more than the largest code of it, moved to the top of 16 bits.
    limit: [u32; 17],
    /// By a code's length: what to add to a code to have its place among the symbols.
    offset: [i32; 17],
    symbols: Vec<u8>,
}

impl Huffman {
    /// `counts[n]` codes are of `n + 1` bits; `symbols` are in the order of their codes.
    pub(crate) fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self, Error> {
        let mut table =
            Self { look: Box::new([0; 1 << LOOK]), limit: [0; 17], offset: [0; 17], symbols: symbols.to_vec() };
        let (mut code, mut place) = (0_u32, 0_usize);
        for (length, count) in (1_u32..).zip(counts) {
            let count = usize::from(*count);
            if code as usize + count > 1 << length {
                return damaged("a Huffman table has more codes than there can be");
            }
            if let (Some(offset), Some(limit)) =
                (table.offset.get_mut(length as usize), table.limit.get_mut(length as usize))
            {
                *offset = i32::try_from(place).unwrap_or_default() - i32::try_from(code).unwrap_or_default();
                *limit = (code + u32::try_from(count).unwrap_or_default()) << (16 - length);
            }
            for symbol in symbols.iter().skip(place).take(count) {
                if length <= LOOK {
                    let first = (code << (LOOK - length)) as usize;
                    let entries = table.look.get_mut(first..first + (1 << (LOOK - length))).unwrap_or_default();
                    entries.fill(u16::from(*symbol) << 8 | length as u16);
                }
                code += 1;
            }
            place += count;
            code <<= 1;
        }
        Ok(table)
    }

    /// The length and the symbol of the code at the beginning of `window`.
    #[inline(always)]
    pub(crate) fn symbol(&self, window: u64) -> Result<(u32, u8), Error> {
        let entry = self.look.get((window >> (64 - LOOK)) as usize).copied().unwrap_or_default();
        if entry != 0 { Ok((u32::from(entry & 0xFF), (entry >> 8) as u8)) } else { self.long(window) }
    }

    /// Reads a code and the difference that it says how long it is: how much a block's first coefficient is more than the one before.
    #[inline(always)]
    pub(crate) fn difference(&self, bits: &mut Bits<'_>) -> Result<i32, Error> {
        bits.refill();
        let (length, size) = self.symbol(bits.window())?;
        let size = u32::from(size & 15);
        bits.consume(length);
        let difference = Bits::extend(bits.window(), size);
        bits.consume(size);
        Ok(difference)
    }

    #[cold]
    fn long(&self, window: u64) -> Result<(u32, u8), Error> {
        let next = (window >> 48) as u32;
        for (length, (limit, offset)) in (0_u32..).zip(self.limit.iter().zip(&self.offset)).skip(LOOK as usize + 1) {
            if next < *limit {
                let place = i64::from(next >> (16 - length)) + i64::from(*offset);
                let symbol = usize::try_from(place).ok().and_then(|place| self.symbols.get(place));
                return symbol.map(|symbol| (length, *symbol)).ok_or(Error::Damaged("a code that no table has"));
            }
        }
        damaged("a code that no table has")
    }
}

/// A table for the coefficients behind the first of a block, with what is needed to pass over them quickly. Components that have the
/// same table share it.
#[derive(Debug, Clone)]
pub(crate) struct Skipper {
    /// By the next [`SKIP`] bits, for as many symbols as begin and whose codes end in them: how many bits they and their values take in
    /// the low byte; in the high one how many coefficients they pass, and 128 more when the last of them ends the block.
    skip: Rc<[u16; 1 << SKIP]>,
}

impl Skipper {
    pub(crate) fn new(table: &Huffman) -> Self {
        let mut skip = [SINGLY; 1 << SKIP];
        for (index, entry) in (0_u64..).zip(skip.iter_mut()) {
            *entry = several(table, index);
        }
        Self { skip: Rc::new(skip) }
    }

    /// Passes over a block's coefficients from `place` on, which is from 1 to 63.
    #[inline(always)]
    pub(crate) fn pass(&self, table: &Huffman, bits: &mut Bits<'_>, mut place: u32) -> Result<(), Error> {
        loop {
            bits.refill();
            // Twice: an entry takes at most 28 bits, and there are 56.
            for _ in 0..2 {
                let entry = self.skip.get(bits.peek::<SKIP>()).copied().unwrap_or(SINGLY);
                let next = place + u32::from(entry >> 8);
                if next >= 64 {
                    if (END_OF_BLOCK..END_OF_BLOCK + 64).contains(&next) {
                        bits.consume(u32::from(entry & 0xFF));
                        return Ok(());
                    }
                    return singly(table, bits, place);
                }
                bits.consume(u32::from(entry & 0xFF));
                place = next;
            }
        }
    }
}

/// What the end of a block adds to the place in it.
pub(crate) const END_OF_BLOCK: u32 = 128;

/// A table for coefficients that are kept: code and value at once, where both are short.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    /// By the next [`LOOK`] bits: how many of them are taken in the low byte, how many coefficients are passed in the next, and the value
    /// of the one that follows in the upper half; 0 where more bits are needed.
    values: Rc<[u32; 1 << LOOK]>,
}

impl Values {
    pub(crate) fn new(table: &Huffman) -> Self {
        let mut values = [0; 1 << LOOK];
        for (index, entry) in (0_u64..).zip(values.iter_mut()) {
            let window = index << (64 - LOOK);
            let Ok((length, symbol)) = table.symbol(window) else { continue };
            let (run, size) = what(symbol);
            if length + size <= LOOK {
                let value = Bits::extend(window << length, size).cast_unsigned() as u16;
                *entry = u32::from(value) << 16 | run << 8 | (length + size);
            }
        }
        Self { values: Rc::new(values) }
    }

    /// How many coefficients are passed, and the value of the one that follows. The window must be full.
    #[inline(always)]
    pub(crate) fn next(&self, table: &Huffman, bits: &mut Bits<'_>) -> Result<(u32, i32), Error> {
        let entry = self.values.get(bits.peek::<LOOK>()).copied().unwrap_or_default();
        if entry != 0 {
            bits.consume(entry & 0xFF);
            return Ok((entry >> 8 & 0xFF, entry.cast_signed() >> 16));
        }
        let (length, symbol) = table.symbol(bits.window())?;
        let (run, size) = what(symbol);
        bits.consume(length);
        let value = Bits::extend(bits.window(), size);
        bits.consume(size);
        Ok((run, value))
    }
}

/// How many coefficients a symbol passes, and how many bits the value of the next one has.
fn what(symbol: u8) -> (u32, u32) {
    match (u32::from(symbol >> 4), u32::from(symbol & 15)) {
        // Sixteen zeros are fifteen and one more.
        (15, 0) => (15, 0),
        (_, 0) => (END_OF_BLOCK, 0),
        other => other,
    }
}

/// As [`Skipper::pass`], one symbol at a time: where a code is long, or a block ends by being full.
#[inline(never)]
fn singly(table: &Huffman, bits: &mut Bits<'_>, mut place: u32) -> Result<(), Error> {
    while place < 64 {
        bits.refill();
        let (length, symbol) = table.symbol(bits.window())?;
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        bits.consume(length + size);
        if size == 0 && run < 15 {
            return Ok(());
        }
        place += run + 1;
    }
    if place > 64 { damaged("a block has more than 64 coefficients") } else { Ok(()) }
}

/// The entry for `index`.
fn several(table: &Huffman, index: u64) -> u16 {
    let (mut used, mut passed) = (0, 0);
    let window = index << (64 - SKIP);
    while used < SKIP {
        let Ok((length, symbol)) = table.symbol(window << used) else { break };
        // Its last bits are not among those that we know.
        if used + length > SKIP {
            break;
        }
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        if size == 0 && run < 15 {
            return entry(used + length, passed + END_OF_BLOCK);
        }
        if passed + run + 1 > 63 {
            break;
        }
        used += length + size;
        passed += run + 1;
    }
    if used == 0 { SINGLY } else { entry(used, passed) }
}

fn entry(bits: u32, passed: u32) -> u16 {
    (passed << 8 | bits) as u16
}
