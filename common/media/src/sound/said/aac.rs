//! The configuration of AAC, which comes before its packets (ISO 14496-3, 1.6.2.1).

/// AAC that two other codecs are built on (SBR, and parametric stereo on top of that), which add what is high and where it comes from.
const LOW_COMPLEXITY: u16 = 2;
const SPECTRAL_BAND_REPLICATION: u16 = 5;
const PARAMETRIC_STEREO: u16 = 29;

/// The object type, which is the last part of the codec's name; `None` where there is none.
pub(super) fn object_type(config: &[u8]) -> Option<u16> {
    let [a, b] = *config.first_chunk::<2>()?;
    match u16::from(a >> 3) {
        31 => Some(32 + (u16::from(a & 7) << 3 | u16::from(b >> 5))),
        kind => Some(kind),
    }
}

/// The configuration of the low frequencies alone, where there are others on top. They are decoded here; how loud a sound is hardly
/// differs. `None` where there is nothing to be left out.
pub(crate) fn core_of(config: &[u8]) -> Option<Box<[u8]>> {
    let kind = object_type(config)?;
    let [a, b] = *config.first_chunk::<2>()?;
    let is_explicit = kind == SPECTRAL_BAND_REPLICATION || kind == PARAMETRIC_STEREO;
    // A rate that is not in the table is written out: nobody does that.
    let rate = (a & 7) << 1 | b >> 7;
    if rate == 15 || !(is_explicit || kind == LOW_COMPLEXITY && config.len() > 2) {
        return None;
    }
    let channels = b >> 3 & 0xF;
    let low = u8::try_from(LOW_COMPLEXITY).ok()? << 3;
    Some(Box::new([low | rate >> 1, rate << 7 | channels << 3]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_top_of_the_low_frequencies_is_left_out() {
        // SBR over LC, 24 kHz, stereo: as encoders write it, before and behind the rest.
        assert_eq!(core_of(&[0x2B, 0x11, 0x88, 0x00]).as_deref(), Some(&[0x13, 0x10][..]));
        assert_eq!(core_of(&[0x13, 0x10, 0x56, 0xE5, 0x98]).as_deref(), Some(&[0x13, 0x10][..]));
        assert_eq!(core_of(&[0x12, 0x10]), None);
        assert_eq!(
            (object_type(&[0x2B, 0x11]), object_type(&[0xF9, 0x40]), object_type(&[0x12])),
            (Some(5), Some(42), None)
        );
    }
}
