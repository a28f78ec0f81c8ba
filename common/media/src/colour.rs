//! Every colour space to sRGB, so that a thumbnail needs no profile.

use moxcms::{ColorProfile, DataColorSpace, Layout as Cms, TransformOptions};

use crate::raster::{Layout, Raster};
use crate::trouble::Trouble;

/// The picture in sRGB, or in the greys of sRGB. A profile that is broken, or is for another kind of picture, is passed over,
/// as browsers do.
pub(crate) fn to_srgb(raster: Raster, icc: Option<&[u8]>) -> Result<Raster, Trouble> {
    let converted = icc.and_then(|icc| convert(&raster, icc));
    match (converted, raster.layout) {
        (Some(pixels), layout) => Raster::new(raster.width, raster.height, shown(layout), pixels),
        (None, Layout::Cmyk) => {
            let pixels = raster.pixels.as_chunks::<4>().0.iter().flat_map(|inks| without_profile(*inks)).collect();
            Raster::new(raster.width, raster.height, Layout::Rgb, pixels)
        }
        (None, Layout::Gray | Layout::GrayAlpha | Layout::Rgb | Layout::Rgba) => Ok(raster),
    }
}

/// What a layout becomes.
fn shown(layout: Layout) -> Layout {
    match layout {
        Layout::Cmyk => Layout::Rgb,
        Layout::Gray | Layout::GrayAlpha | Layout::Rgb | Layout::Rgba => layout,
    }
}

/// The pixels in sRGB by the profile, in the [`shown`] layout; `None` when the profile is of no use.
fn convert(raster: &Raster, icc: &[u8]) -> Option<Vec<u8>> {
    let profile = ColorProfile::new_from_slice(icc).ok()?;
    let (space, from, to) = match raster.layout {
        Layout::Gray => (DataColorSpace::Gray, Cms::Gray, Cms::Rgb),
        Layout::GrayAlpha => (DataColorSpace::Gray, Cms::GrayAlpha, Cms::Rgba),
        Layout::Rgb => (DataColorSpace::Rgb, Cms::Rgb, Cms::Rgb),
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
        Layout::Rgb | Layout::Rgba | Layout::Cmyk => converted,
    })
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
