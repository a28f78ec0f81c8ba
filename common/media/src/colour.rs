//! Every colour space to sRGB, so that a thumbnail needs no profile.

use moxcms::{ColorProfile, DataColorSpace, Layout as Cms, TransformOptions};

use crate::raster::{Layout, Raster};
use crate::trouble::Trouble;

/// So far apart are numbers at most that are taken for the same: profiles round theirs.
const SAME: u8 = 1;

/// The picture in sRGB, or in the greys of sRGB. A profile that is broken, or is for another kind of picture, is passed over,
/// as browsers do.
pub(crate) fn to_srgb(raster: Raster, icc: Option<&[u8]>) -> Result<Raster, Trouble> {
    let profile = icc.and_then(|icc| ColorProfile::new_from_slice(icc).ok()).filter(|profile| !is_srgb(profile));
    // A profile says what red, green and blue are.
    let raster = if profile.is_some() { raster.without_chromas() } else { raster };
    let converted = profile.and_then(|profile| convert(&raster, &profile));
    match (converted, raster.layout) {
        (Some(pixels), layout) => Raster::new(raster.width, raster.height, shown(layout), pixels),
        (None, Layout::Cmyk) => {
            let pixels = raster.pixels.as_chunks::<4>().0.iter().flat_map(|inks| without_profile(*inks)).collect();
            Raster::new(raster.width, raster.height, Layout::Rgb, pixels)
        }
        (None, Layout::Gray | Layout::GrayAlpha | Layout::Rgb | Layout::Ycc | Layout::Rgba) => Ok(raster),
    }
}

/// What a layout becomes.
fn shown(layout: Layout) -> Layout {
    match layout {
        Layout::Cmyk => Layout::Rgb,
        Layout::Gray | Layout::GrayAlpha | Layout::Rgb | Layout::Ycc | Layout::Rgba => layout,
    }
}

/// The pixels in sRGB by the profile, in the [`shown`] layout; `None` when the profile is of no use.
fn convert(raster: &Raster, profile: &ColorProfile) -> Option<Vec<u8>> {
    let (space, from, to) = match raster.layout {
        Layout::Gray => (DataColorSpace::Gray, Cms::Gray, Cms::Rgb),
        Layout::GrayAlpha => (DataColorSpace::Gray, Cms::GrayAlpha, Cms::Rgba),
        Layout::Rgb | Layout::Ycc => (DataColorSpace::Rgb, Cms::Rgb, Cms::Rgb),
        Layout::Rgba => (DataColorSpace::Rgb, Cms::Rgba, Cms::Rgba),
        Layout::Cmyk => (DataColorSpace::Cmyk, Cms::Rgba, Cms::Rgb),
    };
    if profile.color_space != space {
        return None;
    }
    let transform =
        profile.create_transform_8bit(from, &ColorProfile::new_srgb(), to, TransformOptions::default()).ok()?;
    let pixels = raster.pixels.len() / raster.layout.channels();
    let mut converted = vec![0; pixels * to.channels()];
    transform.transform(&raster.pixels, &mut converted).ok()?;
    Some(match raster.layout {
        // Grey in, grey out: the three channels are equal.
        Layout::Gray => converted.into_iter().step_by(3).collect(),
        Layout::GrayAlpha => converted.as_chunks::<4>().0.iter().flat_map(|[grey, _, _, a]| [*grey, *a]).collect(),
        Layout::Rgb | Layout::Ycc | Layout::Rgba | Layout::Cmyk => converted,
    })
}

/// Whether colours keep their numbers, as in most photos: then nothing needs to be converted.
fn is_srgb(profile: &ColorProfile) -> bool {
    const LEVELS: [u8; 6] = [0, 51, 102, 153, 204, 255];
    if profile.color_space != DataColorSpace::Rgb {
        return false;
    }
    let red_green_blue = |red| LEVELS.into_iter().flat_map(move |green| LEVELS.map(|blue| [red, green, blue]));
    let colours: Vec<u8> = LEVELS.into_iter().flat_map(red_green_blue).flatten().collect();
    let mut converted = vec![0; colours.len()];
    let srgb = ColorProfile::new_srgb();
    let made = profile.create_transform_8bit(Cms::Rgb, &srgb, Cms::Rgb, TransformOptions::default());
    made.is_ok_and(|transform| transform.transform(&colours, &mut converted).is_ok())
        && colours.iter().zip(&converted).all(|(before, after)| before.abs_diff(*after) <= SAME)
}

/// Luma and chromas to red, green and blue, with BT.601's factors in 16-bit fixed point: <https://www.itu.int/rec/T-REC-T.871>
#[inline]
pub(crate) fn rgb([luma, blue, red]: [u8; 3]) -> [u8; 3] {
    let (luma, blue, red) = (i32::from(luma) << 16, i32::from(blue) - 128, i32::from(red) - 128);
    let light = |scaled: i32| u8::try_from(((scaled + 0x8000) >> 16).clamp(0, 255)).unwrap_or_default();
    [light(luma + 91_881 * red), light(luma - 22_554 * blue - 46_802 * red), light(luma + 116_130 * blue)]
}

/// Inks to light without knowing the inks: each takes away its complement, and black takes from all.
fn without_profile([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 3] {
    let light = |ink: u8| {
        let product = u32::from(255 - ink) * u32::from(255 - black);
        u8::try_from((product + 127) / 255).unwrap_or(u8::MAX)
    };
    [light(cyan), light(magenta), light(yellow)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(layout: Layout, pixel: &[u8]) -> Raster {
        Raster::new(1, 1, layout, pixel.to_vec()).unwrap()
    }

    /// sRGB with two primaries exchanged: what it calls red is blue.
    fn exchanged() -> Vec<u8> {
        let mut profile = ColorProfile::new_srgb();
        std::mem::swap(&mut profile.red_colorant, &mut profile.blue_colorant);
        profile.encode().unwrap()
    }

    #[test]
    fn a_profile_is_applied() {
        for (layout, red, blue) in [
            (Layout::Rgb, &[255, 0, 0][..], &[0, 0, 255][..]),
            (Layout::Rgba, &[255, 0, 0, 77][..], &[0, 0, 255, 77][..]),
        ] {
            let shown = to_srgb(one(layout, red), Some(&exchanged())).unwrap();
            assert_eq!(shown.layout, layout);
            assert!(shown.pixels.iter().zip(blue).all(|(a, b)| a.abs_diff(*b) <= 2), "{:?}", shown.pixels);
        }
    }

    #[test]
    fn wide_profiles_become_srgb_and_srgb_stays_as_it_is() {
        let icc = |profile: ColorProfile| profile.encode().unwrap();
        // By the matrix between the two spaces' primaries, which is https://www.adobe.com/digitalimag/pdfs/AdobeRGB1998.pdf and IEC 61966-2-1.
        let shown = to_srgb(one(Layout::Rgb, &[100, 200, 100]), Some(&icc(ColorProfile::new_adobe_rgb()))).unwrap();
        assert!(shown.pixels.iter().zip([0, 201, 92]).all(|(a, b)| a.abs_diff(b) <= 3), "{:?}", shown.pixels);
        let shown = to_srgb(one(Layout::Rgb, &[200, 100, 100]), Some(&icc(ColorProfile::new_display_p3()))).unwrap();
        assert!(shown.pixels[0] > 208 && shown.pixels[1] < 100, "{:?}", shown.pixels);
        // Luma and chromas become colours only where they have to.
        let photo = one(Layout::Ycc, &[120, 90, 140]);
        assert_eq!(to_srgb(photo.clone(), Some(&icc(ColorProfile::new_srgb()))).unwrap(), photo);
        assert_eq!(to_srgb(photo, Some(&icc(ColorProfile::new_adobe_rgb()))).unwrap().layout, Layout::Rgb);
    }

    #[test]
    fn a_grey_profile_keeps_greys_grey() {
        let linear = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
        let shown = to_srgb(one(Layout::Gray, &[128]), Some(&linear)).unwrap();
        assert_eq!(shown.layout, Layout::Gray);
        // Half of the light is 188 in sRGB.
        assert!(shown.pixels[0].abs_diff(188) <= 2, "{:?}", shown.pixels);
        let shown = to_srgb(one(Layout::GrayAlpha, &[128, 9]), Some(&linear)).unwrap();
        assert!(shown.pixels[0].abs_diff(188) <= 2 && shown.pixels[1] == 9, "{:?}", shown.pixels);
    }

    #[test]
    fn a_broken_profile_or_one_for_another_kind_is_passed_over() {
        for icc in
            [&b"not a profile"[..], &exchanged()[..60], &ColorProfile::new_gray_with_gamma(1.0).encode().unwrap()]
        {
            let raster = one(Layout::Rgb, &[1, 2, 3]);
            assert_eq!(to_srgb(raster.clone(), Some(icc)).unwrap(), raster);
        }
    }

    #[test]
    fn inks_without_a_profile_become_light() {
        for (inks, light) in
            [([0, 0, 0, 0], [255, 255, 255]), ([0, 0, 0, 255], [0, 0, 0]), ([255, 0, 0, 0], [0, 255, 255])]
        {
            assert_eq!(to_srgb(one(Layout::Cmyk, &inks), None).unwrap(), one(Layout::Rgb, &light));
        }
    }
}
