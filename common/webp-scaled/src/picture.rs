//! What is decoded: planes, and colours made of them.

use crate::Scale;

/// One plane of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plane {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) stride: usize,
    pub(crate) bytes: Vec<u8>,
}

impl Plane {
    /// Bytes across.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Bytes down.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The rows, from the top, each as long as the plane is wide.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.chunks_exact(self.stride).take(self.height).filter_map(|row| row.get(..self.width))
    }
}

/// A decoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels across, after the reduction.
    pub width: u16,
    /// Pixels down, after the reduction.
    pub height: u16,
    /// How it was reduced.
    pub scale: Scale,
    /// Luma from 16 to 235, blue and red differences from 16 to 240 around 128, as BT.601 has them.
    pub planes: [Plane; 3],
}

/// A decoded picture in colours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rgb {
    /// Pixels across, after the reduction.
    pub width: u16,
    /// Pixels down, after the reduction.
    pub height: u16,
    /// Red, green and blue: three bytes a pixel, row by row.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// Red, green and blue: three bytes a pixel, row by row. At [`Scale::Full`] a pixel takes the chroma that is nearest, as libwebp does
    /// when it is asked for no "fancy upsampling".
    pub fn rgb(&self) -> Vec<u8> {
        let width = usize::from(self.width);
        let mut pixels = vec![0; 3 * width * usize::from(self.height)];
        let repeat = if self.scale == Scale::Full { 2 } else { 1 };
        let [luma, blue, red] = &self.planes;
        let chroma = blue.rows().zip(red.rows()).flat_map(|rows| std::iter::repeat_n(rows, repeat));
        for ((row, luma), (blue, red)) in pixels.chunks_exact_mut(3 * width).zip(luma.rows()).zip(chroma) {
            convert(row, luma, blue, red, repeat);
        }
        pixels
    }
}

/// A row of colours, where a value of chroma is for `repeat` pixels.
pub(crate) fn convert(row: &mut [u8], luma: &[u8], blue: &[u8], red: &[u8], repeat: usize) {
    let groups = row.as_chunks_mut::<3>().0.chunks_mut(repeat).zip(luma.chunks(repeat));
    for ((pixels, luma), (blue, red)) in groups.zip(blue.iter().zip(red)) {
        for (pixel, luma) in pixels.iter_mut().zip(luma) {
            *pixel = rgb(*luma, *blue, *red);
        }
    }
}

/// BT.601 in libwebp's fixed point:
/// <https://chromium.googlesource.com/webm/libwebp/+/refs/tags/v1.5.0/src/dsp/yuv.h>
fn rgb(luma: u8, blue: u8, red: u8) -> [u8; 3] {
    let part = |value: u8, factor: i32| (i32::from(value) * factor) >> 8;
    let byte = |value: i32| u8::try_from((value >> 6).clamp(0, 255)).unwrap_or(0);
    let luma = part(luma, 19_077);
    [
        byte(luma + part(red, 26_149) - 14_234),
        byte(luma - part(blue, 6_419) - part(red, 13_320) + 8_708),
        byte(luma + part(blue, 33_050) - 17_685),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_limited() {
        assert_eq!(rgb(16, 128, 128), [0, 0, 0]);
        assert_eq!(rgb(235, 128, 128), [255, 255, 255]);
        assert_eq!(rgb(0, 128, 128), [0, 0, 0]);
        assert_eq!(rgb(81, 90, 240), [254, 0, 0]);
    }
}
