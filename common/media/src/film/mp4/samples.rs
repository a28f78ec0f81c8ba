//! The sample tables of a track: where its keyframes are (ISO 14496-12, 8.6 and 8.7).

use std::ops::Range;

use super::super::fields::millis;
use super::boxes::{child, versioned};
use super::movie::Track;

/// The tables of a track, of which only those entries are read that lead to the samples wanted: they may be millions.
pub(super) struct Samples<'a> {
    timescale: u32,
    times: Table<'a, 2>,
    keyframes: Option<Table<'a, 1>>,
    chunks: Table<'a, 3>,
    sizes: Sizes<'a>,
    offsets: Offsets<'a>,
}

/// A table of `N` numbers of 32 bits in a row.
#[derive(Debug, Clone, Copy)]
struct Table<'a, const N: usize>(&'a [[[u8; 4]; N]]);

enum Sizes<'a> {
    Same(u32),
    Each(Table<'a, 1>),
}

enum Offsets<'a> {
    Short(Table<'a, 1>),
    Long(Table<'a, 2>),
}

impl<'a, const N: usize> Table<'a, N> {
    /// The rows of a full box whose first field is their count. What the box has no room for is not there.
    fn of(body: &'a [u8]) -> Option<Self> {
        let (_, _, mut fields) = versioned(body)?;
        let count = usize::try_from(fields.u32()?).ok()?;
        Self::rows_in(fields.0, count)
    }

    fn rows_in(bytes: &'a [u8], count: usize) -> Option<Self> {
        let rows = bytes.as_chunks::<4>().0.as_chunks::<N>().0;
        Some(Self(rows.get(..count.min(rows.len()))?))
    }

    fn rows(self) -> impl Iterator<Item = [u32; N]> + 'a {
        self.0.iter().map(|row| row.map(u32::from_be_bytes))
    }

    fn get(self, row: usize) -> Option<[u32; N]> {
        self.0.get(row).map(|row| row.map(u32::from_be_bytes))
    }
}

impl<'a> Samples<'a> {
    /// The tables of a track; `None` where one that is needed is not there.
    pub(super) fn of(track: &Track<'a>) -> Option<Self> {
        let table = track.table;
        let offsets = match (child(table, *b"stco"), child(table, *b"co64")) {
            (Some(short), _) => Offsets::Short(Table::of(short)?),
            (None, long) => Offsets::Long(Table::of(long?)?),
        };
        Some(Self {
            timescale: track.timescale,
            times: child(table, *b"stts").and_then(Table::of)?,
            keyframes: child(table, *b"stss").and_then(Table::of),
            chunks: child(table, *b"stsc").and_then(Table::of)?,
            sizes: sizes(child(table, *b"stsz")?)?,
            offsets,
        })
    }

    /// For each of these times in milliseconds, which grow, the first keyframe at or behind it and behind the one before; where there is
    /// none, the one that follows on that. Samples are counted from 0.
    pub(super) fn keyframes_from(&self, times: &[u64]) -> Vec<u32> {
        let mut found = Vec::new();
        let mut next = 0_u32;
        for time in times {
            let sample = self.sample_at(*time).unwrap_or(next).max(next);
            let Some(keyframe) = self.keyframe_from(sample).or_else(|| self.keyframe_from(next)) else { break };
            found.push(keyframe);
            next = keyframe.saturating_add(1);
        }
        found
    }

    /// The first sample that begins at `time` milliseconds or later.
    fn sample_at(&self, time: u64) -> Option<u32> {
        let (mut sample, mut ticks) = (0_u32, 0_u64);
        for [count, each] in self.times.rows() {
            let end = ticks.saturating_add(u64::from(count) * u64::from(each));
            if count > 0 && millis(end, self.timescale)? > time {
                let wanted = u128::from(time) * u128::from(self.timescale) / 1000;
                // `each` is not 0, since the time is reached.
                let into = u64::try_from(wanted).ok()?.saturating_sub(ticks).div_ceil(u64::from(each).max(1));
                return sample.checked_add(u32::try_from(into).ok()?);
            }
            (sample, ticks) = (sample.checked_add(count)?, end);
        }
        None
    }

    fn keyframe_from(&self, sample: u32) -> Option<u32> {
        match &self.keyframes {
            // The table counts from 1.
            Some(table) => table.rows().map(|[number]| number.saturating_sub(1)).find(|number| *number >= sample),
            None => Some(sample),
        }
    }

    /// Where a sample's bytes are.
    pub(super) fn place(&self, sample: u32) -> Option<Range<u64>> {
        let (chunk, first) = self.chunk_of(sample)?;
        let chunk = usize::try_from(chunk).ok()?;
        let offset = match &self.offsets {
            Offsets::Short(table) => table.get(chunk).map(|[offset]| u64::from(offset))?,
            Offsets::Long(table) => table.get(chunk).map(|[high, low]| u64::from(high) << 32 | u64::from(low))?,
        };
        let before = match &self.sizes {
            Sizes::Same(size) => u64::from(*size) * u64::from(sample - first),
            Sizes::Each(table) => {
                let rows = table.0.get(usize::try_from(first).ok()?..usize::try_from(sample).ok()?)?;
                Table(rows).rows().map(|[size]| u64::from(size)).sum()
            }
        };
        let size = match &self.sizes {
            Sizes::Same(size) => *size,
            Sizes::Each(table) => table.get(usize::try_from(sample).ok()?).map(|[size]| size)?,
        };
        let start = offset.checked_add(before)?;
        Some(start..start.checked_add(size.into())?)
    }

    /// The chunk that a sample is in, counted from 0, and that chunk's first sample.
    fn chunk_of(&self, sample: u32) -> Option<(u32, u32)> {
        let mut first = 0_u32;
        let mut rows = self.chunks.rows().peekable();
        while let Some([chunk, samples_each, _]) = rows.next() {
            let until_chunk = rows.peek().map(|[next, ..]| *next);
            let samples = until_chunk.map(|next| u64::from(next.saturating_sub(chunk)) * u64::from(samples_each));
            let into = sample - first;
            if samples.is_none_or(|samples| u64::from(into) < samples) {
                let chunks = into.checked_div(samples_each)?;
                let before = chunk.checked_sub(1)?.checked_add(chunks)?;
                return Some((before, first + chunks * samples_each));
            }
            // Not more than `into`, and so not beyond the sample.
            first += u32::try_from(samples?).ok()?;
        }
        None
    }
}

fn sizes(body: &[u8]) -> Option<Sizes<'_>> {
    let (_, _, mut fields) = versioned(body)?;
    match fields.u32()? {
        0 => {
            let count = usize::try_from(fields.u32()?).ok()?;
            Table::rows_in(fields.0, count).map(Sizes::Each)
        }
        same => Some(Sizes::Same(same)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(name: [u8; 4], words: &[u32]) -> Vec<u8> {
        let body: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        [&u32::try_from(body.len() + 12).unwrap().to_be_bytes()[..], &name, &[0; 4], &body].concat()
    }

    /// Samples of 10, 20, … 80 bytes: three in each of the first two chunks, two in the last; ten ticks each, then twenty; every third
    /// from the first on is a keyframe.
    fn table() -> Vec<u8> {
        [
            full(*b"stts", &[2, 4, 10, 4, 20]),
            full(*b"stss", &[3, 1, 4, 7]),
            full(*b"stsc", &[2, 1, 3, 1, 3, 2, 1]),
            full(*b"stsz", &[0, 8, 10, 20, 30, 40, 50, 60, 70, 80]),
            full(*b"stco", &[3, 1000, 2000, 3000]),
        ]
        .concat()
    }

    fn track(table: &[u8]) -> Track<'_> {
        Track {
            id: 1,
            media: super::super::movie::Media::Pictures,
            enabled: true,
            timescale: 10,
            duration_millis: None,
            size: None,
            orientation: image::metadata::Orientation::NoTransforms,
            entry: super::super::movie::Entry::default(),
            table,
        }
    }

    #[test]
    fn samples_are_where_chunks_and_sizes_put_them() {
        let table = table();
        let samples = Samples::of(&track(&table)).unwrap();
        let places: Vec<_> = (0..9).map(|sample| samples.place(sample)).collect();
        let expected = [1000..1010, 1010..1030, 1030..1060, 2000..2040, 2040..2090, 2090..2150, 3000..3070, 3070..3150];
        assert_eq!(places, expected.into_iter().map(Some).chain([None]).collect::<Vec<_>>());
    }

    #[test]
    fn keyframes_are_found_by_time_and_each_is_another() {
        let table = table();
        let samples = Samples::of(&track(&table)).unwrap();
        // The samples begin at 0, 1, 2, 3, 4, 6, 8 and 10 seconds.
        assert_eq!(samples.keyframes_from(&[0, 1000, 4000, 16_000]), [0, 3, 6]);
        assert_eq!(samples.keyframes_from(&[500, 9000, 9000]), [3, 6]);
    }

    #[test]
    fn without_a_table_of_keyframes_every_sample_is_one_and_sizes_may_be_all_the_same() {
        let table = [
            full(*b"stts", &[1, 100, 1]),
            full(*b"stsc", &[1, 1, 10, 1]),
            full(*b"stsz", &[7, 100]),
            [&b"\0\0\0\x18co64\0\0\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x05"[..]].concat(),
        ]
        .concat();
        let samples = Samples::of(&track(&table)).unwrap();
        assert_eq!(samples.keyframes_from(&[0, 1000]), [0, 10]);
        assert_eq!(samples.place(3), Some((2 << 32) + 26..(2 << 32) + 33));
        assert_eq!(samples.place(10), None);
    }

    #[test]
    fn tables_that_lie_lead_nowhere() {
        for wrong in [
            full(*b"stts", &[1, u32::MAX, u32::MAX]),
            full(*b"stsc", &[2, 1, 0, 1, 9, 0, 1]),
            full(*b"stsc", &[2, 9, 1, 1, 3, 1, 1]),
            full(*b"stsc", &[1, 0, 1, 1]),
            full(*b"stco", &[u32::MAX]),
            full(*b"stsz", &[0, u32::MAX]),
        ] {
            let table = [wrong, table()].concat();
            let Some(samples) = Samples::of(&track(&table)) else { continue };
            for sample in [0, 1, 7, u32::MAX] {
                samples.place(sample);
            }
            samples.keyframes_from(&[0, u64::MAX]);
        }
    }
}
