//! What the numbers of a coded picture mean: luma and chromas to red, green and blue, and the primaries as a profile. ITU-T H.273, 8.3.
//!
//! The transfer is taken for sRGB's, whatever the file says: that is what libvips, libheif and Pillow do, and the curves of BT.709 and
//! BT.601 are those of cameras, which no screen inverts. A picture for HDR screens (PQ) looks pale then, and is not refused.

use moxcms::ColorProfile;

use super::frame::Sampling;
use crate::heif::Nclx;
use crate::trouble::Trouble;

/// Code points of H.273.
const BT2020: u16 = 9;
const DISPLAY_P3: u16 = 12;

/// What is assumed of a picture that says nothing: JFIF's numbers, as phones write them.
const UNSAID: Nclx = Nclx { primaries: 1, matrix: 6, is_full: true };

/// How a picture's numbers become colours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Colours {
    way: Way,
    is_full: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    /// Weights of the chromas, in parts of 65,536: red's in red, blue's and red's in green, blue's in blue.
    Weights([i32; 4]),
    /// They are green, blue and red.
    Colours,
    /// Green, and differences of sums: `YCgCo`.
    Sums,
}

impl Colours {
    /// By the code points, which may be those that say that nothing is known.
    ///
    /// # Errors
    /// [`Trouble::Unsupported`] for the code points of which no still pictures are known.
    pub(super) fn of(nclx: Option<Nclx>, sampling: Sampling) -> Result<Self, Trouble> {
        let Nclx { matrix, is_full, .. } = nclx.unwrap_or(UNSAID);
        // The weights of red and blue in luma, in ten thousandths.
        let weights = match matrix {
            1 => (2126, 722),
            4 => (3000, 1100),
            2 | 5 | 6 => (2990, 1140),
            7 => (2120, 870),
            9 | 10 => (2627, 593),
            0 if sampling == Sampling::Full => return Ok(Self { way: Way::Colours, is_full }),
            8 => return Ok(Self { way: Way::Sums, is_full }),
            _ if sampling == Sampling::Grey => (2990, 1140),
            other => return Err(Trouble::Unsupported(format!("colours by matrix {other}"))),
        };
        Ok(Self { way: Way::Weights(chroma_weights(weights, is_full)), is_full })
    }

    /// Whether the numbers are JFIF's.
    pub(super) fn are_jfif(&self) -> bool {
        self.is_full && self.way == Way::Weights(chroma_weights((2990, 1140), true))
    }

    /// A grey.
    pub(super) fn grey(&self, luma: u8) -> u8 {
        clamp(self.scaled(luma))
    }

    /// Red, green and blue.
    #[inline]
    pub(super) fn rgb(&self, [luma, blue, red]: [u8; 3]) -> [u8; 3] {
        let centred = |chroma: u8| i32::from(chroma) - 128;
        match &self.way {
            Way::Colours => [red, luma, blue].map(|light| clamp(self.scaled(light))),
            Way::Sums => {
                let (luma, green, orange) = (self.scaled(luma), centred(blue), centred(red));
                let scale = if self.is_full { 65_536 } else { 65_536 * 255 / 224 };
                let (green, orange) = (green * scale, orange * scale);
                [luma - green + orange, luma + green, luma - green - orange].map(clamp)
            }
            Way::Weights([red_in_red, blue_in_green, red_in_green, blue_in_blue]) => {
                let (luma, blue, red) = (self.scaled(luma), centred(blue), centred(red));
                [luma + red_in_red * red, luma - blue_in_green * blue - red_in_green * red, luma + blue_in_blue * blue]
                    .map(clamp)
            }
        }
    }

    /// A luma, or a colour, in parts of 65,536.
    fn scaled(&self, luma: u8) -> i32 {
        let luma = i32::from(luma);
        if self.is_full { luma << 16 } else { (luma - 16) * (65_536 * 255 / 219) }
    }
}

/// The weights of the chromas, from those of red and blue in luma.
fn chroma_weights((red, blue): (i64, i64), is_full: bool) -> [i32; 4] {
    let green = 10_000 - red - blue;
    // A chroma of the narrow range has 224 values.
    let (up, down) = if is_full { (1, 1) } else { (255, 224) };
    let fixed =
        |times: i64, by: i64| i32::try_from((times * 65_536 * up + by * down / 2) / (by * down)).unwrap_or(i32::MAX);
    [
        fixed(2 * (10_000 - red), 10_000),
        fixed(2 * blue * (10_000 - blue), green * 10_000),
        fixed(2 * red * (10_000 - red), green * 10_000),
        fixed(2 * (10_000 - blue), 10_000),
    ]
}

#[inline]
fn clamp(scaled: i32) -> u8 {
    u8::try_from(((scaled + 0x8000) >> 16).clamp(0, 255)).unwrap_or_default()
}

/// A profile of primaries that are not sRGB's; `None` for those that are, or are so near that nobody tells them apart.
pub(super) fn profile(primaries: u16) -> Option<Vec<u8>> {
    let mut profile = ColorProfile::new_display_p3();
    match primaries {
        DISPLAY_P3 => {}
        BT2020 => {
            let wide = ColorProfile::new_bt2020();
            profile.red_colorant = wide.red_colorant;
            profile.green_colorant = wide.green_colorant;
            profile.blue_colorant = wide.blue_colorant;
        }
        _ => return None,
    }
    profile.encode().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour;

    fn of(matrix: u16, is_full: bool) -> Colours {
        Colours::of(Some(Nclx { primaries: 1, matrix, is_full }), Sampling::Full).unwrap()
    }

    #[test]
    fn what_says_nothing_is_as_in_jfif() {
        let colours = Colours::of(None, Sampling::Halves).unwrap();
        assert!(colours.are_jfif() && of(5, true).are_jfif());
        assert!(!of(1, true).are_jfif() && !of(6, false).are_jfif() && !of(0, true).are_jfif());
        for pixel in [[0, 0, 0], [120, 90, 140], [255, 1, 254], [16, 128, 128]] {
            assert_eq!(colours.rgb(pixel), colour::rgb(pixel));
        }
    }

    /// The values follow from the equations of H.273 with the weights in its table 4.
    #[test]
    fn colours_come_back() {
        for (colours, pixel, expected) in [
            (of(1, false), [63, 102, 240], [255, 0, 0]),
            (of(1, false), [235, 128, 128], [255, 255, 255]),
            (of(1, false), [16, 128, 128], [0, 0, 0]),
            (of(6, false), [81, 90, 240], [255, 0, 0]),
            (of(9, true), [67, 92, 255], [255, 0, 0]),
            (of(0, true), [20, 30, 10], [10, 20, 30]),
            (of(8, true), [128, 255, 128], [1, 255, 1]),
        ] {
            let found = colours.rgb(pixel);
            assert!(found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 2), "{pixel:?} {found:?} {expected:?}");
        }
        assert_eq!([16, 235, 255].map(|luma| of(1, false).grey(luma)), [0, 255, 255]);
        assert!(Colours::of(Some(Nclx { primaries: 1, matrix: 14, is_full: true }), Sampling::Full).is_err());
    }

    #[test]
    fn wide_primaries_have_a_profile_and_those_of_srgb_none() {
        assert!(profile(DISPLAY_P3).is_some() && profile(BT2020).is_some());
        assert!([0, 1, 2, 5, 6].into_iter().all(|primaries| profile(primaries).is_none()));
    }
}
