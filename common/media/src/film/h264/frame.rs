//! A decoded picture.

use jpeg_scaled::Plane;

/// Luma and chromas of a picture, 4:2:0, eight bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::film) struct Frame {
    /// Pixels across.
    pub(in crate::film) width: usize,
    /// Pixels down.
    pub(in crate::film) height: usize,
    /// `width × height` samples of luma.
    pub(in crate::film) luma: Vec<u8>,
    /// Half as many samples across and down of blue and of red.
    pub(in crate::film) chromas: [Vec<u8>; 2],
    /// What makes luma and chromas, by the stream's own word.
    pub(in crate::film) matrix: Option<u8>,
    /// Whether they have the whole range, by the stream's own word.
    pub(in crate::film) full_range: Option<bool>,
}

/// How light a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::film) struct Light {
    /// The sum of the luma that was looked at.
    pub(in crate::film) sum: u64,
    /// Whether it is black.
    pub(in crate::film) is_black: bool,
}

/// Every such sample is looked at, across and down.
const STEP: usize = 4;

impl Frame {
    /// How light it is. Black is what `FFmpeg`'s `blackdetect` takes for black: at least 98 of a hundred samples are no lighter than a tenth.
    /// <https://ffmpeg.org/ffmpeg-filters.html#blackdetect>
    pub(in crate::film) fn light(&self, full_range: bool) -> Light {
        let dark = if full_range { 25 } else { 37 };
        let (mut sum, mut count, mut dark_count) = (0_u64, 0_u64, 0_u64);
        for row in self.luma.chunks_exact(self.width.max(1)).step_by(STEP) {
            for sample in row.iter().step_by(STEP) {
                sum += u64::from(*sample);
                count += 1;
                dark_count += u64::from(*sample <= dark);
            }
        }
        Light { sum, is_black: dark_count * 100 >= count * 98 }
    }

    /// Its planes.
    pub(in crate::film) fn planes(self) -> Vec<Plane> {
        let [blue, red] = self.chromas;
        let half = (self.width / 2, self.height / 2);
        vec![plane(self.luma, (self.width, self.height)), plane(blue, half), plane(red, half)]
    }
}

fn plane(samples: Vec<u8>, (width, height): (usize, usize)) -> Plane {
    let covered = |length| u32::try_from(length).map_or(0.0, f64::from);
    Plane { width, height, covered_width: covered(width), covered_height: covered(height), samples }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(luma: Vec<u8>) -> Frame {
        Frame { width: 40, height: luma.len() / 40, luma, chromas: [vec![], vec![]], matrix: None, full_range: None }
    }

    #[test]
    fn black_is_where_hardly_anything_is_lighter_than_a_tenth() {
        assert!(frame(vec![16; 1600]).light(false).is_black);
        assert!(frame(vec![37; 1600]).light(false).is_black);
        assert!(!frame(vec![38; 1600]).light(false).is_black);
        assert!(!frame(vec![26; 1600]).light(true).is_black);
        // A hundred samples are looked at, ten in each of ten rows.
        let with_bright = |count: usize| {
            let mut luma = vec![16; 1600];
            luma.iter_mut().step_by(STEP).take(count).for_each(|sample| *sample = 200);
            frame(luma).light(false)
        };
        assert!(with_bright(2).is_black && !with_bright(3).is_black);
        assert!(with_bright(2).sum > with_bright(1).sum);
    }
}
