//! JPEG through `zune-jpeg` itself rather than through `image`, which asks it to go on after errors (a damaged file becomes
//! half a picture) and gives inks as red, green and blue, so that their profile could no longer be applied.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::{Header, orientation};
use crate::raster::{Layout, Raster};
use crate::trouble::Trouble;

/// A JPEG whose header has been read.
pub(crate) struct Jpeg<'a> {
    decoder: JpegDecoder<ZCursor<&'a [u8]>>,
    space: ColorSpace,
    inverted_inks: bool,
}

/// Reads the header. Cameras write odd bytes between segments, so this part is not strict; the scans are.
pub(super) fn open(bytes: &[u8], inverted_inks: bool) -> Result<(Header, Jpeg<'_>), Trouble> {
    let options = DecoderOptions::default().set_strict_mode(false).set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers()?;
    let (Some(info), Some(space)) = (decoder.info(), decoder.input_colorspace()) else {
        return Err(Trouble::damaged("a JPEG without a header"));
    };
    let header = Header {
        width: info.width.into(),
        height: info.height.into(),
        orientation: orientation(decoder.exif().map(Vec::as_slice)),
        icc: decoder.icc_profile(),
        decoded_bytes: u64::from(info.width) * u64::from(info.height) * space.num_components() as u64,
    };
    Ok((header, Jpeg { decoder, space, inverted_inks }))
}

impl Jpeg<'_> {
    /// Decodes it whole.
    pub(crate) fn decode(mut self, header: &Header) -> Result<Raster, Trouble> {
        // Inks come as they are stored: the profile, if any, wants them so.
        let (layout, output) = if self.space == ColorSpace::Luma {
            (Layout::Gray, ColorSpace::Luma)
        } else if matches!(self.space, ColorSpace::YCbCr | ColorSpace::RGB) {
            (Layout::Rgb, ColorSpace::RGB)
        } else if matches!(self.space, ColorSpace::CMYK | ColorSpace::YCCK) {
            (Layout::Cmyk, self.space)
        } else {
            return Err(Trouble::Unsupported(format!("JPEG colours {:?}", self.space)));
        };
        self.decoder.set_options(self.decoder.options().set_strict_mode(true).jpeg_set_out_colorspace(output));
        let mut pixels = vec![0; usize::try_from(header.decoded_bytes).unwrap_or(usize::MAX)];
        self.decoder.decode_into(&mut pixels)?;
        if self.space == ColorSpace::YCCK {
            inks_from_ycck(&mut pixels);
        }
        if layout == Layout::Cmyk && self.inverted_inks {
            for value in &mut pixels {
                *value = 255 - *value;
            }
        }
        Raster::new(header.width, header.height, layout, pixels)
    }
}

/// Y, Cb, Cr, K to C, M, Y, K: the inverse of the inks' complement, with BT.601's factors in 16-bit fixed point.
/// <https://www.itu.int/rec/T-REC-T.871>, and Adobe's technical note 5116 for the marker that announces it.
fn inks_from_ycck(pixels: &mut [u8]) {
    for pixel in pixels.as_chunks_mut::<4>().0 {
        let [luma, blue, red, _] = pixel.map(i32::from);
        let (blue, red) = (blue - 128, red - 128);
        let complement = |scaled: i32| u8::try_from(255 - ((scaled + 0x8000) >> 16).clamp(0, 255)).unwrap_or(0);
        let luma = luma << 16;
        pixel[0] = complement(luma + 91_881 * red);
        pixel[1] = complement(luma - 22_554 * blue - 46_802 * red);
        pixel[2] = complement(luma + 116_130 * blue);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ycck_is_the_complement_of_what_ycc_would_show() {
        // White, black, pure red (76, 85, 255 in YCbCr), with any black ink.
        let mut pixels = [255, 128, 128, 9, 0, 128, 128, 9, 76, 85, 255, 9];
        inks_from_ycck(&mut pixels);
        assert_eq!(pixels, [0, 0, 0, 9, 255, 255, 255, 9, 1, 255, 255, 9]);
    }
}
