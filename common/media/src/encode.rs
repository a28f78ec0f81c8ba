//! Encodes thumbnails: JPEG, or where there is transparency lossless WebP or PNG, whichever is smaller. Nothing but pixels is
//! written: no EXIF, no profile.

use image::ImageEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::raster::{Layout, Raster};
use crate::trouble::Trouble;

/// What other thumbnailers (libvips, sharp) use by default or nearly so.
const QUALITY: u8 = 80;

/// Levels of a channel that are tried one after the other while a picture with noise in it is too long without loss. With
/// the last, even noise takes little more than a byte a pixel.
const LEVELS: [u32; 5] = [64, 32, 16, 8, 4];

/// An encoded picture.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Encoded {
    /// Its content type.
    pub(crate) content_type: &'static str,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

/// Encodes `raster` in at most `max_bytes`.
pub(crate) fn encode(raster: &Raster, max_bytes: usize) -> Result<Encoded, Trouble> {
    let encoded = match raster.layout {
        Layout::Rgb => jpeg(raster, ColorType::Rgb)?,
        Layout::Ycc => jpeg(raster, ColorType::Ycbcr)?,
        Layout::Gray => jpeg(raster, ColorType::Luma)?,
        Layout::Cmyk => return Err(Trouble::OverBudget("inks are not encoded".to_owned())),
        Layout::GrayAlpha | Layout::Rgba => with_alpha(raster, max_bytes)?,
    };
    if encoded.bytes.len() > max_bytes {
        return Err(Trouble::OverBudget(format!("a thumbnail of {} bytes", encoded.bytes.len())));
    }
    Ok(encoded)
}

fn jpeg(raster: &Raster, color: ColorType) -> Result<Encoded, Trouble> {
    let failed = |error: &dyn std::fmt::Display| Trouble::OverBudget(format!("JPEG encoder: {error}"));
    let width = u16::try_from(raster.width).map_err(|error| failed(&error))?;
    let height = u16::try_from(raster.height).map_err(|error| failed(&error))?;
    let mut bytes = Vec::new();
    // Optimised Huffman tables would save 3 %, but this encoder then writes a scan for each component, which some decoders
    // read wrongly (zune-jpeg 0.5.15 among them, where a component is flat).
    let mut encoder = Encoder::new(&mut bytes, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(&raster.pixels, width, height, color).map_err(|error| failed(&error))?;
    Ok(Encoded { content_type: "image/jpeg", bytes })
}

fn with_alpha(raster: &Raster, max_bytes: usize) -> Result<Encoded, Trouble> {
    let mut encoded = lossless(raster)?;
    for levels in LEVELS {
        if encoded.bytes.len() <= max_bytes {
            break;
        }
        encoded = lossless(&posterised(raster, levels))?;
    }
    Ok(encoded)
}

fn lossless(raster: &Raster) -> Result<Encoded, Trouble> {
    let color = if raster.layout == Layout::Rgba { image::ColorType::Rgba8 } else { image::ColorType::La8 };
    let (width, height) = (raster.width, raster.height);
    let (mut webp, mut png) = (Vec::new(), Vec::new());
    WebPEncoder::new_lossless(&mut webp).write_image(&raster.pixels, width, height, color.into())?;
    PngEncoder::new(&mut png).write_image(&raster.pixels, width, height, color.into())?;
    Ok(if webp.len() <= png.len() {
        Encoded { content_type: "image/webp", bytes: webp }
    } else {
        Encoded { content_type: "image/png", bytes: png }
    })
}

/// The picture with `levels` values a channel. Full and none stay what they are, so that no opaque pixel turns translucent.
fn posterised(raster: &Raster, levels: u32) -> Raster {
    let top = levels - 1;
    let coarse = |value: u8| {
        let level = (u32::from(value) * top + 127) / 255;
        u8::try_from((level * 255 + top / 2) / top).unwrap_or(u8::MAX)
    };
    Raster { pixels: raster.pixels.iter().copied().map(coarse).collect(), ..raster.clone() }
}

#[cfg(test)]
mod tests {
    use image::ImageDecoder;
    use image::codecs::{jpeg::JpegDecoder, png::PngDecoder, webp::WebPDecoder};

    use super::*;

    /// Numbers without a pattern (xorshift), the same on every run.
    fn noise(count: usize) -> Vec<u8> {
        let mut state = 0x9E37_79B9_u32;
        std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[1]
        })
        .take(count)
        .collect()
    }

    fn decoded(encoded: &Encoded) -> Vec<u8> {
        let bytes = std::io::Cursor::new(&encoded.bytes);
        let decoder: Box<dyn ImageDecoder> = match encoded.content_type {
            "image/png" => Box::new(PngDecoder::new(bytes).unwrap()),
            "image/webp" => Box::new(WebPDecoder::new(bytes).unwrap()),
            _ => Box::new(JpegDecoder::new(bytes).unwrap()),
        };
        let mut pixels = vec![0; usize::try_from(decoder.total_bytes()).unwrap()];
        decoder.read_image_boxed(&mut pixels).unwrap();
        pixels
    }

    #[test]
    fn what_is_opaque_becomes_jpeg_and_stays_grey_when_it_is() {
        for (layout, channels) in [(Layout::Gray, 1), (Layout::Rgb, 3)] {
            let encoded = encode(&Raster::new(33, 17, layout, vec![200; 33 * 17 * channels]).unwrap(), 9999).unwrap();
            assert_eq!(encoded.content_type, "image/jpeg");
            let pixels = decoded(&encoded);
            assert_eq!(pixels.len(), 33 * 17 * channels);
            assert!(pixels.iter().all(|value| value.abs_diff(200) <= 2));
        }
    }

    #[test]
    fn transparency_is_kept_without_loss() {
        for layout in [Layout::GrayAlpha, Layout::Rgba] {
            let raster = Raster::new(40, 30, layout, noise(40 * 30 * layout.channels())).unwrap();
            let encoded = encode(&raster, 99_999).unwrap();
            let pixels = decoded(&encoded);
            let wide: Vec<u8> = raster
                .pixels
                .chunks_exact(layout.channels())
                .flat_map(|p| if layout == Layout::Rgba { p.to_vec() } else { vec![p[0], p[0], p[0], p[1]] })
                .collect();
            assert!(pixels == raster.pixels || pixels == wide, "{}", encoded.content_type);
        }
    }

    #[test]
    fn noise_with_an_alpha_is_made_coarser_until_it_fits() {
        let raster = Raster::new(1280, 1280, Layout::Rgba, noise(1280 * 1280 * 4)).unwrap();
        let budget = 3_500_000;
        assert!(lossless(&raster).unwrap().bytes.len() > budget);
        let encoded = encode(&raster, budget).unwrap();
        assert!(encoded.bytes.len() <= budget, "{}", encoded.bytes.len());
        let worst = decoded(&encoded).iter().zip(&raster.pixels).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst.is_some_and(|worst| worst > 0 && worst <= 255 / 2 / 3 + 1), "{worst:?}");
    }

    #[test]
    fn the_coarsest_noise_of_a_large_thumbnail_fits_and_its_ends_stay() {
        let raster = Raster::new(1280, 1280, Layout::Rgba, noise(1280 * 1280 * 4)).unwrap();
        let coarsest = posterised(&raster, LEVELS[LEVELS.len() - 1]);
        assert!(lossless(&coarsest).unwrap().bytes.len() < 2_500_000);
        let ends = Raster::new(1, 1, Layout::Rgba, vec![0, 255, 0, 255]).unwrap();
        for levels in LEVELS {
            assert_eq!(posterised(&ends, levels), ends);
        }
    }
}
