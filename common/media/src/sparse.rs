//! The ranges of a file that have been supplied, readable as if they were the whole: a reader that meets a hole is stopped,
//! and the place of the hole is noted, so that it can be asked for.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

/// Parts of a file of known length.
#[derive(Debug)]
pub(crate) struct Sparse {
    size: u64,
    parts: Vec<(u64, Vec<u8>)>,
}

impl Sparse {
    /// Nothing yet of a file of `size` bytes.
    pub(crate) fn new(size: u64) -> Self {
        Self { size, parts: Vec::new() }
    }

    /// Adds the bytes at `start`. What follows on the end of a known part is joined to it, the shorter to the longer: a picture of many
    /// megabytes behind its first range is never there twice.
    pub(crate) fn supply(&mut self, start: u64, mut bytes: Vec<u8>) {
        match self.parts.iter_mut().find(|(at, part)| at.saturating_add(part.len() as u64) == start) {
            Some((_, part)) if part.len() < bytes.len() => {
                bytes.reserve_exact(part.len());
                bytes.splice(0..0, part.drain(..));
                *part = bytes;
            }
            Some((_, part)) => part.extend_from_slice(&bytes),
            None => self.parts.push((start, bytes)),
        }
    }

    /// What is known from the first byte on.
    pub(crate) fn head(&self) -> &[u8] {
        self.from(0).unwrap_or_default()
    }

    /// All of the file, when it is there.
    pub(crate) fn whole(&self) -> Option<&[u8]> {
        Some(self.head()).filter(|head| head.len() as u64 == self.size)
    }

    /// Hands over all of the file, when it is there.
    pub(crate) fn take_whole(&mut self) -> Option<Vec<u8>> {
        let at = self.parts.iter().position(|(start, part)| *start == 0 && part.len() as u64 == self.size)?;
        Some(self.parts.swap_remove(at).1)
    }

    /// How many parts are known that do not touch.
    pub(crate) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// The file's length, in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The bytes of `range`, as far as the file goes.
    ///
    /// # Errors
    /// What of them has not been supplied.
    pub(crate) fn bytes(&self, range: Range<u64>) -> Result<Vec<u8>, Missing> {
        let end = range.end.min(self.size);
        let mut bytes = Vec::new();
        let mut at = range.start;
        while at < end {
            let known = self.from(at).ok_or(Missing(at..end))?;
            let wanted = usize::try_from(end - at).unwrap_or(usize::MAX);
            let taken = known.get(..wanted.min(known.len())).unwrap_or(known);
            bytes.extend_from_slice(taken);
            at += taken.len() as u64;
        }
        Ok(bytes)
    }

    /// The missing range after the head.
    pub(crate) fn rest(&self) -> Range<u64> {
        self.head().len() as u64..self.size
    }

    fn from(&self, at: u64) -> Option<&[u8]> {
        self.parts.iter().find_map(|(start, part)| {
            let skip = usize::try_from(at.checked_sub(*start)?).ok()?;
            part.get(skip..).filter(|left| !left.is_empty())
        })
    }

    /// A reader over it.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { file: self, at: 0, hole: Cell::new(None) }
    }
}

/// A range of the file that has not been supplied: not empty, and inside the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Missing(pub(crate) Range<u64>);

/// Reads a [`Sparse`] file.
pub(crate) struct Reader<'a> {
    file: &'a Sparse,
    at: u64,
    hole: Cell<Option<u64>>,
}

impl Reader<'_> {
    /// Where the first read that could not be answered began.
    pub(crate) fn hole(&self) -> Option<u64> {
        self.hole.get()
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() || self.at >= self.file.size {
            return Ok(0);
        }
        let Some(mut known) = self.file.from(self.at) else {
            self.hole.set(self.hole.get().or(Some(self.at)));
            return Err(io::Error::other("these bytes have not been supplied"));
        };
        let count = known.read(into)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.file.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a position before the first byte"))?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_sees_what_was_supplied_and_says_where_the_first_hole_is() {
        let mut file = Sparse::new(10);
        file.supply(0, vec![0, 1, 2]);
        file.supply(8, vec![8, 9]);
        let mut reader = file.reader();
        let mut bytes = [0; 3];
        reader.read_exact(&mut bytes).unwrap();
        assert_eq!((bytes, reader.hole()), ([0, 1, 2], None));
        assert!(reader.read(&mut bytes).is_err());
        reader.seek(SeekFrom::End(-2)).unwrap();
        let mut tail = Vec::new();
        reader.read_to_end(&mut tail).unwrap();
        assert_eq!((tail, reader.hole()), (vec![8, 9], Some(3)));
        assert!(reader.seek(SeekFrom::Current(-11)).is_err());
    }

    #[test]
    fn bytes_are_put_together_from_what_was_supplied() {
        let mut file = Sparse::new(10);
        file.supply(0, vec![0, 1, 2]);
        file.supply(6, vec![6, 7, 8, 9]);
        assert_eq!(file.bytes(1..3), Ok(vec![1, 2]));
        assert_eq!(file.bytes(7..99), Ok(vec![7, 8, 9]));
        assert_eq!(file.bytes(10..12), Ok(vec![]));
        assert_eq!(file.bytes(2..8), Err(Missing(3..8)));
        assert_eq!(file.parts(), 2);
        file.supply(3, vec![3, 4, 5]);
        assert_eq!(file.bytes(2..8), Ok(vec![2, 3, 4, 5, 6, 7]));
    }

    #[test]
    fn the_head_grows_until_it_is_the_whole() {
        let mut file = Sparse::new(4);
        file.supply(0, vec![0, 1]);
        assert_eq!((file.whole(), file.rest()), (None, 2..4));
        file.supply(2, vec![2, 3]);
        assert_eq!(file.whole(), Some(&[0, 1, 2, 3][..]));
        assert_eq!(file.take_whole(), Some(vec![0, 1, 2, 3]));
    }

    #[test]
    fn a_long_part_takes_the_short_one_before_it_in() {
        let mut file = Sparse::new(9);
        file.supply(0, vec![0, 1]);
        file.supply(2, vec![2, 3, 4, 5]);
        assert_eq!(file.head(), [0, 1, 2, 3, 4, 5]);
        assert_eq!(file.take_whole(), None);
    }
}
