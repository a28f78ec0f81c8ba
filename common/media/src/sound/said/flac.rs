//! FLAC: its first block says how many samples there are. <https://www.rfc-editor.org/rfc/rfc9639#section-8.2>

use super::{Said, be, bytes, millis, sound_start};
use crate::sparse::{Missing, Sparse};

/// The signature, a block's header and the first block.
const HEAD: u64 = 4 + 4 + 34;

/// Reads it.
pub(super) fn read(file: &Sparse) -> Result<Said, Missing> {
    let start = sound_start(file)?;
    let head = bytes(file, start, HEAD)?;
    if !head.starts_with(b"fLaC") {
        return Ok(Said::default());
    }
    Ok(Said { duration_millis: head.get(8..).and_then(duration_millis), codec: Some("flac".to_owned()) })
}

/// Of the first block: 20 bits of sample rate, 3 of channels, 5 of depth and 36 of the count of samples, from its tenth byte on.
pub(super) fn duration_millis(info: &[u8]) -> Option<u64> {
    let packed = be::<8>(info, 10)?;
    millis(packed & 0xF_FFFF_FFFF, packed >> 44)
}

#[cfg(test)]
mod tests {
    use super::super::tests::whole;
    use super::*;

    #[test]
    fn the_first_block_says_how_long_it_is() {
        let mut bytes = b"fLaC\0\0\0\x22".to_vec();
        bytes.extend([0; 34]);
        let unknown = Said { duration_millis: None, codec: Some("flac".to_owned()) };
        assert_eq!(read(&whole(&bytes)), Ok(unknown));
        // 44.1 kHz, stereo, 16 bits, 88,200 samples.
        bytes[18..26].copy_from_slice(&(0xAC44_u64 << 44 | 1 << 41 | 15 << 36 | 0x1_5888).to_be_bytes());
        assert_eq!(read(&whole(&bytes)).unwrap().duration_millis, Some(2000));
        assert_eq!(read(&whole(b"fLaX")), Ok(Said::default()));
    }
}
