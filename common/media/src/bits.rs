//! Numbers of any count of bits, the highest of a byte first, as the headers of H.264 (ITU-T H.264, 7.2 and 9.1), HEVC (H.265, 9.2) and AV1
//! are made of.

/// Bits that have not been read yet.
#[derive(Debug)]
pub(crate) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    /// The bits of `bytes`. Of a NAL unit's payload, what keeps start codes out must be taken out before: [`unescaped`].
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next bit.
    pub(crate) fn flag(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// The next `count` bits, at most 32.
    pub(crate) fn number(&mut self, count: u32) -> Option<u32> {
        let mut number = 0;
        for _ in 0..count {
            number = number << 1 | u32::from(self.flag()?);
        }
        Some(number)
    }

    /// An Exp-Golomb number: `ue(v)`.
    #[cfg(any(feature = "video", feature = "heic"))]
    pub(crate) fn unsigned(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
        }
        if zeros > 31 {
            return None;
        }
        Some((1_u32 << zeros) - 1 + self.number(zeros)?)
    }

    /// An Exp-Golomb number with a sign: `se(v)`.
    #[cfg(feature = "video")]
    pub(crate) fn signed(&mut self) -> Option<i64> {
        let number = i64::from(self.unsigned()?);
        Some(if number % 2 == 0 { -(number / 2) } else { number / 2 + 1 })
    }
}

/// The first bytes of a NAL unit without the bytes that keep start codes out of it: at most `limit`.
#[cfg(any(feature = "video", feature = "heic"))]
pub(crate) fn unescaped(nal: &[u8], limit: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut zeros = 0;
    for byte in nal {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        if bytes.len() >= limit {
            break;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        bytes.push(*byte);
    }
    bytes
}

#[cfg(all(test, feature = "video"))]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_bit_by_bit() {
        // 1 | 010 | 011 | 00100 | 00101, and three bits more.
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1101_0000]);
        let found: Vec<_> = (0..5).map(|_| bits.unsigned().unwrap()).collect();
        assert_eq!((found, bits.number(3)), (vec![0, 1, 2, 3, 4], Some(0b101)));
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let found: Vec<_> = (0..5).map(|_| bits.signed().unwrap()).collect();
        assert_eq!(found, [0, 1, -1, 2, -2]);
        assert_eq!(Bits::new(&[0; 40]).unsigned(), None);
        assert_eq!(Bits::new(&[0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0]).unsigned(), None);
    }

    #[test]
    fn what_keeps_start_codes_out_is_taken_out() {
        assert_eq!(unescaped(&[1, 0, 0, 3, 1, 0, 0, 3, 0, 0, 3], 99), [1, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(unescaped(&[1, 2, 3, 4], 3), [1, 2, 3]);
    }
}
