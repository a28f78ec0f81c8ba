//! What a picture says of itself before any pixel: its size, components and colours.

/// What the components are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// One component: greys.
    Gray,
    /// Luma and two chromas of the whole range from 0 to 255, as in JFIF (T.871).
    YCbCr,
    /// Red, green, blue.
    Rgb,
    /// Four inks as they are stored. With Adobe's marker, which is nearly always there, 255 is no ink.
    Cmyk {
        /// Whether Adobe's marker is there.
        inverted: bool,
    },
    /// Three inks' complement as luma and chromas, and black, as they are stored.
    Ycck {
        /// Whether Adobe's marker is there.
        inverted: bool,
    },
}

/// A component of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Component {
    /// Samples across, relative to other components', from 1 to 4.
    pub horizontal: u8,
    /// Samples down, relative to other components', from 1 to 4.
    pub vertical: u8,
    pub(crate) id: u8,
    pub(crate) quantization: u8,
}

/// What a JPEG says of itself before any pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// Pixels across, from 1 to 65,535.
    pub width: u16,
    /// Pixels down, from 1 to 65,535.
    pub height: u16,
    /// Whether the picture comes in scans of growing precision.
    pub progressive: bool,
    /// What the components are.
    pub color: Color,
    /// One, three or four.
    pub components: Vec<Component>,
    /// The first EXIF block, from its byte order mark on.
    pub exif: Option<&'a [u8]>,
    /// The colour profile, put together from its parts; `None` when one of them is missing.
    pub icc: Option<Vec<u8>>,
}

impl Header<'_> {
    /// The components' largest sampling factors.
    pub(crate) fn sampling(&self) -> (usize, usize) {
        let largest = |of: fn(&Component) -> u8| self.components.iter().map(of).max().unwrap_or(1).into();
        (largest(|one| one.horizontal), largest(|one| one.vertical))
    }
}

impl Color {
    /// What the components are, by their number and identifiers, and by the markers of JFIF and Adobe. As libjpeg decides it: JFIF's marker
    /// goes before Adobe's, and what Adobe's says that nobody knows is the usual.
    pub(crate) fn of(components: &[Component], jfif: bool, adobe: Option<u8>) -> Self {
        let inverted = adobe.is_some();
        match (components, adobe) {
            ([_], _) => Self::Gray,
            ([_, _, _], _) if jfif => Self::YCbCr,
            ([_, _, _], Some(0)) => Self::Rgb,
            ([red, green, blue], None) if [red.id, green.id, blue.id] == *b"RGB" => Self::Rgb,
            ([_, _, _], _) => Self::YCbCr,
            (_, None | Some(0)) => Self::Cmyk { inverted },
            (_, Some(_)) => Self::Ycck { inverted },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_those_that_libjpeg_finds() {
        let components = |ids: &[u8]| -> Vec<Component> {
            ids.iter().map(|id| Component { horizontal: 1, vertical: 1, id: *id, quantization: 0 }).collect()
        };
        for (ids, jfif, adobe, expected) in [
            (&[1][..], true, Some(0), Color::Gray),
            (&[1, 2, 3], false, None, Color::YCbCr),
            (&[1, 2, 3], false, Some(1), Color::YCbCr),
            (&[1, 2, 3], false, Some(0), Color::Rgb),
            (&[1, 2, 3], true, Some(0), Color::YCbCr),
            (&[1, 2, 3], false, Some(9), Color::YCbCr),
            (b"RGB", false, None, Color::Rgb),
            (b"RGB", true, None, Color::YCbCr),
            (&[1, 2, 3, 4], false, None, Color::Cmyk { inverted: false }),
            (&[1, 2, 3, 4], true, Some(0), Color::Cmyk { inverted: true }),
            (&[1, 2, 3, 4], false, Some(2), Color::Ycck { inverted: true }),
        ] {
            assert_eq!(Color::of(&components(ids), jfif, adobe), expected, "{ids:?} {jfif} {adobe:?}");
        }
    }
}
