//! Numbers out of bytes, one after the other, most significant byte first: the way of both containers.

/// What has not been read yet of some bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    /// The next `count` bytes; `None` when there are not so many.
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, left) = self.0.split_at_checked(count)?;
        self.0 = left;
        Some(taken)
    }

    /// Passes `count` bytes over; `None` when there are not so many.
    pub(super) fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count).map(|_| ())
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, left) = self.0.split_first_chunk()?;
        self.0 = left;
        Some(*taken)
    }

    /// Four characters.
    pub(super) fn name(&mut self) -> Option<[u8; 4]> {
        self.array()
    }

    /// A byte.
    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    /// A number of 16 bits.
    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// A number of 32 bits.
    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// A signed number of 32 bits.
    pub(super) fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }

    /// A number of 64 bits.
    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A number of 64 bits where `wide`, and of 32 otherwise.
    pub(super) fn either(&mut self, wide: bool) -> Option<u64> {
        if wide { self.u64() } else { self.u32().map(u64::from) }
    }
}

/// `ticks` of a clock that makes `per_second` of them, in milliseconds; `None` for a clock that stands still.
pub(super) fn millis(ticks: u64, per_second: u32) -> Option<u64> {
    let scaled = u128::from(ticks) * 1000 + u128::from(per_second) / 2;
    u64::try_from(scaled.checked_div(per_second.into())?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_one_after_the_other_and_end_where_the_bytes_do() {
        let mut fields = Fields(&[1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 255]);
        assert_eq!((fields.u8(), fields.u16(), fields.u32()), (Some(1), Some(2), Some(3)));
        assert_eq!((fields.either(true), fields.u16(), fields.u8()), (Some(4), None, Some(255)));
        assert_eq!(fields.u8(), None);
    }

    #[test]
    fn milliseconds_are_rounded_and_no_clock_is_divided_by_nothing() {
        assert_eq!((millis(2, 3), millis(1001, 30_000), millis(5, 0)), (Some(667), Some(33), None));
        assert_eq!(millis(u64::MAX, 1), None);
    }
}
