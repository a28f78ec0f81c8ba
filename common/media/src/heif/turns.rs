//! Turns and mirrors, one after the other, as the one of the eight orientations that they come to.

use image::metadata::Orientation;

/// A picture that may be mirrored, left and right exchanged, and is then turned.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turns {
    is_mirrored: bool,
    /// Quarters, with the clock.
    quarters: u8,
}

impl Turns {
    /// Turned by so many quarters more, against the clock: `irot`.
    pub(super) fn turned(self, against: u8) -> Self {
        Self { quarters: (self.quarters + 4 - against % 4) % 4, ..self }
    }

    /// Mirrored as well: 0 exchanges top and bottom, 1 left and right, as in `imir`.
    pub(super) fn mirrored(self, axis: u8) -> Self {
        // A mirror before a turn is the same as the turn the other way round before the mirror.
        let turned_back = (4 - self.quarters) % 4;
        let half = if axis == 0 { 2 } else { 0 };
        Self { is_mirrored: !self.is_mirrored, quarters: (turned_back + half) % 4 }
    }

    /// The orientation.
    pub(super) fn orientation(self) -> Orientation {
        match (self.is_mirrored, self.quarters) {
            (false, 1) => Orientation::Rotate90,
            (false, 2) => Orientation::Rotate180,
            (false, 3) => Orientation::Rotate270,
            (false, _) => Orientation::NoTransforms,
            // `Rotate90FlipH` is turned first and then mirrored.
            (true, 1) => Orientation::Rotate270FlipH,
            (true, 2) => Orientation::FlipVertical,
            (true, 3) => Orientation::Rotate90FlipH,
            (true, _) => Orientation::FlipHorizontal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orient::upright;
    use crate::raster::{Layout, Raster};

    #[test]
    fn one_orientation_does_what_all_turns_and_mirrors_do_in_their_order() {
        let picture = Raster::new(3, 2, Layout::Gray, vec![1, 2, 3, 4, 5, 6]).unwrap();
        let steps = [(0, 1), (0, 2), (0, 3), (1, 0), (1, 1)];
        for one in steps {
            for two in steps {
                for three in steps {
                    let mut turns = Turns::default();
                    let mut expected = picture.clone();
                    for (kind, value) in [one, two, three] {
                        let by = match (kind, value) {
                            (0, 1) => Orientation::Rotate270,
                            (0, 2) => Orientation::Rotate180,
                            (0, _) => Orientation::Rotate90,
                            (_, 0) => Orientation::FlipVertical,
                            (_, _) => Orientation::FlipHorizontal,
                        };
                        turns = if kind == 0 { turns.turned(value) } else { turns.mirrored(value) };
                        expected = upright(expected, by).unwrap();
                    }
                    let found = upright(picture.clone(), turns.orientation()).unwrap();
                    assert_eq!(found, expected, "{one:?} {two:?} {three:?}");
                }
            }
        }
    }
}
