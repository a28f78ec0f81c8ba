//! JPEG XL through `jxl-oxide`: its first frame, turned upright by the decoder, rows made smaller as they come out.

use image::metadata::Orientation;
use jxl_oxide::color::ColourSpace;
use jxl_oxide::{
    AllocTracker, EnumColourEncoding, InitializeResult, JxlImage, JxlThreadPool, PixelFormat, RenderingIntent,
};

use super::shrink::Shrink;
use super::{Decoded, Header};
use crate::raster::Layout;
use crate::structure::jxl_codestream;
use crate::trouble::Trouble;

/// Bytes that the decoder may allocate for pixels, about: it decodes to numbers of 32 bits, for all channels, and keeps some twice. A photo of
/// 12 megapixels takes 300 MB in all.
const BUDGET: usize = 1_400_000_000;

/// Bytes that it is given at a time until it knows its header.
const PIECE: usize = 4096;

/// A JPEG XL whose header has been read.
pub(crate) struct Jxl<'a> {
    image: Box<JxlImage>,
    /// What the decoder has not seen yet.
    rest: Vec<&'a [u8]>,
}

/// Reads the header.
///
/// # Errors
/// [`Trouble::Damaged`] when it ends within the header, and [`Trouble::Unsupported`] when the decoder does not take it.
pub(super) fn open(bytes: &[u8]) -> Result<(Header, Jxl<'_>), Trouble> {
    let pieces = jxl_codestream(bytes)?;
    let tracker = AllocTracker::with_limit(BUDGET);
    let mut image = JxlImage::builder().pool(JxlThreadPool::none()).alloc_tracker(tracker).build_uninit();
    let mut rest = pieces.into_iter().flat_map(|piece| piece.chunks(PIECE));
    let mut ready = loop {
        let piece = rest.next().ok_or_else(|| Trouble::damaged("a JPEG XL that ends within its header"))?;
        image.feed_bytes(piece).map_err(not_decoded)?;
        match image.try_init().map_err(not_decoded)? {
            InitializeResult::NeedMoreData(more) => image = more,
            InitializeResult::Initialized(ready) => break ready,
        }
    };
    // What is stored in the decoder's own colour space can be had in any.
    if ready.image_header().metadata.xyb_encoded {
        let mut srgb = EnumColourEncoding::srgb(RenderingIntent::Relative);
        if ready.pixel_format().is_grayscale() {
            srgb.colour_space = ColourSpace::Grey;
        }
        ready.request_color_encoding(srgb);
    }
    let channels = ready.pixel_format().channels() as u64;
    let header = Header {
        width: ready.width(),
        height: ready.height(),
        orientation: Orientation::NoTransforms,
        icc: Some(ready.rendered_icc()),
        decoded_bytes: u64::from(ready.width()) * u64::from(ready.height()) * channels,
    };
    Ok((header, Jxl { image: Box::new(ready), rest: rest.collect() }))
}

impl Jxl<'_> {
    /// Decodes its first frame.
    ///
    /// # Errors
    /// [`Trouble::Damaged`] when it ends before its last frame. Whatever else the decoder does not like is [`Trouble::Unsupported`].
    pub(crate) fn decode(mut self, header: &Header, longest: u32) -> Result<Decoded, Trouble> {
        for piece in self.rest {
            self.image.feed_bytes(piece).map_err(not_decoded)?;
        }
        if !self.image.is_loading_done() {
            return Err(Trouble::damaged("a JPEG XL that ends before its last frame"));
        }
        let layout = match self.image.pixel_format() {
            PixelFormat::Gray => Layout::Gray,
            PixelFormat::Graya => Layout::GrayAlpha,
            PixelFormat::Rgb => Layout::Rgb,
            PixelFormat::Rgba => Layout::Rgba,
            format @ (PixelFormat::Cmyk | PixelFormat::Cmyka) => {
                return Err(not_decoded(format!("pixels of {format:?}")));
            }
        };
        let frame = self.image.render_frame(0).map_err(not_decoded)?;
        let mut stream = frame.stream();
        let size = (stream.width(), stream.height(), usize::try_from(stream.channels()).unwrap_or_default());
        if size != (header.width, header.height, layout.channels()) {
            return Err(not_decoded("a frame of another size than the picture"));
        }
        let mut shrink = Shrink::new((header.width, header.height), layout, longest);
        let line = usize::try_from(header.width).unwrap_or(usize::MAX).saturating_mul(layout.channels());
        let mut row = vec![0_u8; line];
        for _ in 0..header.height {
            stream.write_to_buffer(&mut row);
            shrink.row(&row)?;
        }
        shrink.finish()
    }
}

fn not_decoded(why: impl std::fmt::Display) -> Trouble {
    Trouble::Unsupported(format!("JPEG XL: {why}"))
}

#[cfg(test)]
mod tests {
    use vestibule_domain::policy::InspectLimits;

    use super::super::{Format, open as open_any};
    use super::*;

    fn fixture(name: &str) -> Vec<u8> {
        std::fs::read(format!("{}/../../fixtures/files/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    #[test]
    fn a_picture_that_ends_early_is_damage_wherever_it_ends() {
        let whole = fixture("lossy.jxl");
        let decode = |bytes: &[u8]| {
            let (header, opened) = open_any(Format::Jxl, bytes, 100, &InspectLimits::default())?;
            opened.decode(&header, 100)
        };
        assert!(decode(&whole).is_ok());
        for end in [0, 1, 2, 10, 100, whole.len() / 2, whole.len() - 1] {
            assert!(matches!(decode(&whole[..end]), Err(Trouble::Damaged(_))), "{end}");
        }
    }
}
