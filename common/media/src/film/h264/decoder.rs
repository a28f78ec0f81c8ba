//! The decoder of H.264, where it is built in: `rusty_h264-decoder`, without its threads and without its kernels that are not safe Rust.

use super::Frame;

/// A decoder that has seen nothing yet, or what it was fed with.
#[cfg(feature = "h264")]
pub(super) struct Decoder(rusty_h264_decoder::Decoder);

#[cfg(feature = "h264")]
impl Decoder {
    /// Knows no parameter sets yet.
    pub(super) fn new() -> Self {
        Self(rusty_h264_decoder::Decoder::new())
    }

    /// Decodes a NAL unit behind its start code, and hands over the picture that it completes.
    ///
    /// # Errors
    /// In technical words.
    pub(super) fn feed(&mut self, unit: &[u8]) -> Result<Option<Frame>, String> {
        let decoded = self.0.decode(unit).map_err(|error| error.to_string())?;
        Ok(decoded.map(|decoded| Frame {
            width: decoded.width,
            height: decoded.height,
            luma: decoded.y,
            chromas: [decoded.u, decoded.v],
            matrix: None,
            full_range: None,
        }))
    }
}

/// None is built in.
#[cfg(not(feature = "h264"))]
pub(super) struct Decoder;

#[cfg(not(feature = "h264"))]
impl Decoder {
    /// Knows nothing.
    pub(super) fn new() -> Self {
        Self
    }

    /// Decodes nothing.
    ///
    /// # Errors
    /// Always.
    #[expect(clippy::unused_self, reason = "as the decoder that is not there")]
    pub(super) fn feed(&mut self, _unit: &[u8]) -> Result<Option<Frame>, String> {
        Err("built without a decoder".to_owned())
    }
}
