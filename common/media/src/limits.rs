//! Every limit on a picture, checked before its pixels are decoded. All are inclusive.

use vestibule_domain::policy::InspectLimits;

use crate::trouble::Trouble;

/// Decoded bytes that a pixel may take: four channels of sixteen bits.
const MAX_BYTES_PER_PIXEL: u64 = 8;

/// One picture or frame of `width` × `height`.
pub(crate) fn check_pixels(width: u32, height: u32, limits: &InspectLimits) -> Result<(), Trouble> {
    if width == 0 || height == 0 {
        return Err(Trouble::damaged(format!("a picture of {width} × {height}")));
    }
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(Trouble::TooManyPixels(format!("{width} × {height}")));
    }
    Ok(())
}

/// The decoder's output. `image`'s own limits do not count it.
pub(crate) fn check_decoded_bytes(bytes: u64, limits: &InspectLimits) -> Result<(), Trouble> {
    if bytes > decoded_bytes(limits) {
        return Err(Trouble::TooManyPixels(format!("{bytes} bytes when decoded")));
    }
    Ok(())
}

/// The most that a decoder may produce.
pub(crate) fn decoded_bytes(limits: &InspectLimits) -> u64 {
    limits.max_pixels.saturating_mul(MAX_BYTES_PER_PIXEL)
}

/// The frames of an animation.
pub(crate) fn check_frames(frames: u32, limits: &InspectLimits) -> Result<(), Trouble> {
    if frames > limits.max_frames { Err(Trouble::TooManyFrames(limits.max_frames)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_inclusive() {
        let limits = InspectLimits { max_pixels: 50_000_000, max_frames: 10, ..InspectLimits::default() };
        assert_eq!(check_pixels(49_999_999, 1, &limits), Ok(()));
        assert_eq!(check_pixels(10_000, 5_000, &limits), Ok(()));
        assert!(matches!(check_pixels(50_000_001, 1, &limits), Err(Trouble::TooManyPixels(_))));
        assert!(matches!(check_pixels(u32::MAX, u32::MAX, &limits), Err(Trouble::TooManyPixels(_))));
        assert!(matches!(check_pixels(0, 7, &limits), Err(Trouble::Damaged(_))));
        assert_eq!(check_decoded_bytes(399_999_999, &limits), Ok(()));
        assert_eq!(check_decoded_bytes(400_000_000, &limits), Ok(()));
        assert!(check_decoded_bytes(400_000_001, &limits).is_err());
        assert_eq!(check_frames(9, &limits), Ok(()));
        assert_eq!(check_frames(10, &limits), Ok(()));
        assert_eq!(check_frames(11, &limits), Err(Trouble::TooManyFrames(10)));
    }
}
