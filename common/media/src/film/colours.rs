//! What a film's luma and chromas mean, and how they become those of a JPEG.

use super::fields::Fields;
use crate::raster::{Layout, Raster};

/// The shares of red and of blue in the luma: the rest is green's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shares {
    red: f64,
    blue: f64,
}

/// As in JFIF, and in films of the size of television's.
const BT_601: Shares = Shares { red: 0.299, blue: 0.114 };
const BT_709: Shares = Shares { red: 0.2126, blue: 0.0722 };
/// From this many lines on, films that do not say their colours are taken for high definition, as players do.
const HIGH_DEFINITION: u32 = 720;

/// What the numbers of a film mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Colours {
    shares: Shares,
    /// Whether black is 0 and white 255, and not 16 and 235.
    pub(super) full_range: bool,
}

impl Colours {
    /// By the stream's own word, or by its container's (`colr`), or by the number of lines.
    pub(super) fn of(matrix: Option<u8>, full_range: Option<bool>, colr: Option<&[u8]>, lines: u32) -> Self {
        let container = colr.and_then(container);
        let by_matrix = matrix.map(u16::from).and_then(shares).or_else(|| shares(container?.0));
        let by_size = if lines >= HIGH_DEFINITION { BT_709 } else { BT_601 };
        let full_range = full_range.or(container.and_then(|(_, full_range)| full_range)).unwrap_or(false);
        Self { shares: by_matrix.unwrap_or(by_size), full_range }
    }

    /// What a pixel of luma and chromas becomes, by each of its three: luma and chromas of BT.601 in the whole range, in parts of 65,536.
    fn factors(&self) -> [[i32; 3]; 3] {
        let Shares { red, blue } = self.shares;
        let green = 1.0 - red - blue;
        let (luma_range, chroma_range) = if self.full_range { (255.0, 255.0) } else { (219.0, 224.0) };
        // One step of each of the three, as red, green and blue from 0 to 255.
        let from_blue = 2.0 * (1.0 - blue) * 255.0 / chroma_range;
        let from_red = 2.0 * (1.0 - red) * 255.0 / chroma_range;
        let steps = [
            [255.0 / luma_range; 3],
            [0.0, -from_blue * blue / green, from_blue],
            [from_red, -from_red * red / green, 0.0],
        ];
        steps.map(|[red, green, blue]| {
            let luma = BT_601.red * red + (1.0 - BT_601.red - BT_601.blue) * green + BT_601.blue * blue;
            let chroma = |light: f64, share: f64| (light - luma) / (2.0 * (1.0 - share));
            [luma, chroma(blue, BT_601.blue), chroma(red, BT_601.red)].map(fixed)
        })
    }
}

fn fixed(factor: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "factors are between -3 and 3")]
    let fixed = (factor * 65_536.0).round() as i32;
    fixed
}

/// ITU-T H.273, table 4. The others have no such shares, or say nothing.
fn shares(matrix: u16) -> Option<Shares> {
    match matrix {
        1 => Some(BT_709),
        4 => Some(Shares { red: 0.30, blue: 0.11 }),
        5 | 6 => Some(BT_601),
        7 => Some(Shares { red: 0.212, blue: 0.087 }),
        9 | 10 => Some(Shares { red: 0.2627, blue: 0.0593 }),
        _ => None,
    }
}

/// The matrix and the range that a `colr` names (ISO 14496-12, 12.1.5; `nclc` is `QuickTime`'s and has no range).
fn container(colr: &[u8]) -> Option<(u16, Option<bool>)> {
    let mut fields = Fields(colr);
    let name = fields.name().filter(|name| name == b"nclx" || name == b"nclc")?;
    fields.skip(4)?;
    let matrix = fields.u16()?;
    let full_range = fields.u8().filter(|_| name == *b"nclx").map(|byte| byte & 0x80 != 0);
    Some((matrix, full_range))
}

/// Luma and chromas as in a JPEG. It is done on the small picture.
pub(super) fn to_whole_range(mut raster: Raster, colours: &Colours) -> Raster {
    if (colours.shares == BT_601 && colours.full_range) || raster.layout != Layout::Ycc {
        return raster;
    }
    let [by_luma, by_blue, by_red] = colours.factors();
    let black = if colours.full_range { 0 } else { 16 };
    for pixel in raster.pixels.as_chunks_mut::<3>().0 {
        let [luma, blue, red] = pixel.map(i32::from);
        let (luma, blue, red) = (luma - black, blue - 128, red - 128);
        let mixed = |of: [i32; 3], zero: i32| {
            let [by_luma, by_blue, by_red] = of;
            let sum = by_luma * luma + by_blue * blue + by_red * red;
            u8::try_from(((sum + 0x8000) >> 16).saturating_add(zero).clamp(0, 255)).unwrap_or_default()
        };
        let [a, b, c] = [0, 1, 2].map(|of: usize| {
            let factor = |factors: &[i32; 3]| factors.get(of).copied().unwrap_or_default();
            [factor(&by_luma), factor(&by_blue), factor(&by_red)]
        });
        *pixel = [mixed(a, 0), mixed(b, 128), mixed(c, 128)];
    }
    raster
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::rgb;

    fn shown(colours: &Colours, pixel: [u8; 3]) -> [u8; 3] {
        let raster = Raster::new(1, 1, Layout::Ycc, pixel.to_vec()).unwrap();
        let pixels = to_whole_range(raster, colours).pixels;
        rgb([pixels[0], pixels[1], pixels[2]])
    }

    #[test]
    fn the_bars_of_a_test_picture_have_their_colours_in_each_matrix_and_range() {
        // 8-bit codes of ITU-R BT.801's bars of 100 %, and the same with BT.709's shares, rounded.
        let limited_601 = [([235, 128, 128], [255; 3]), ([81, 90, 240], [255, 0, 0]), ([145, 54, 34], [0, 255, 0])];
        let limited_709 = [([16, 128, 128], [0; 3]), ([63, 102, 240], [255, 0, 0]), ([173, 42, 26], [0, 255, 0])];
        let full_709 = [([255, 128, 128], [255; 3]), ([54, 99, 255], [255, 0, 0]), ([18, 255, 116], [0, 0, 255])];
        for (shares, full_range, bars) in
            [(BT_601, false, limited_601), (BT_709, false, limited_709), (BT_709, true, full_709)]
        {
            for (pixel, expected) in bars {
                let found = shown(&Colours { shares, full_range }, pixel);
                assert!(found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 3), "{pixel:?}: {found:?}");
            }
        }
    }

    #[test]
    fn what_is_a_jpegs_already_stays() {
        let raster = Raster::new(1, 1, Layout::Ycc, vec![9, 77, 200]).unwrap();
        assert_eq!(to_whole_range(raster.clone(), &Colours { shares: BT_601, full_range: true }), raster);
    }

    #[test]
    fn the_stream_counts_more_than_its_container_and_that_more_than_the_lines() {
        let colr = b"nclx\0\x09\0\x10\0\x09\x80";
        let of = |matrix, full_range, colr, lines| {
            let found = Colours::of(matrix, full_range, colr, lines);
            (found.shares, found.full_range)
        };
        assert_eq!(of(Some(1), Some(false), Some(&colr[..]), 100), (BT_709, false));
        assert_eq!(of(None, None, Some(colr), 100), (Shares { red: 0.2627, blue: 0.0593 }, true));
        assert_eq!(of(None, None, Some(b"nclc\0\x01\0\x01\0\x06"), 1080), (BT_601, false));
        assert_eq!(of(Some(2), None, None, 720), (BT_709, false));
        assert_eq!(of(None, None, Some(b"prof"), 719), (BT_601, false));
    }
}
