//! How many pixels a thumbnail says that it has, from its header alone: the parent decodes nothing that a child made.

use std::iter;

/// Width and height that stand in the header of a picture of `content_type`; `None` when it does not begin as ours do: baseline or progressive
/// JPEG, PNG, and lossless WebP without anything around it.
pub(crate) fn said(content_type: &str, bytes: &[u8]) -> Option<(u32, u32)> {
    match content_type {
        "image/jpeg" => jpeg(bytes),
        "image/png" => png(bytes),
        "image/webp" => webp(bytes),
        _ => None,
    }
}

/// The first chunk is IHDR: <https://www.w3.org/TR/png-3/#11IHDR>
fn png(bytes: &[u8]) -> Option<(u32, u32)> {
    let size = bytes.strip_prefix(b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR")?;
    let (width, rest) = size.split_first_chunk()?;
    Some((u32::from_be_bytes(*width), u32::from_be_bytes(*rest.first_chunk()?)))
}

/// Two numbers of 14 bits, each one less: <https://developers.google.com/speed/webp/docs/webp_lossless_bitstream_specification#3_riff_header>
fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    let (_, rest) = bytes.strip_prefix(b"RIFF")?.split_first_chunk::<4>()?;
    let (_, rest) = rest.strip_prefix(b"WEBPVP8L")?.split_first_chunk::<4>()?;
    let both = u32::from_le_bytes(*rest.strip_prefix(b"\x2F")?.first_chunk()?);
    let side = |bits: u32| (bits & 0x3FFF) + 1;
    Some((side(both), side(both >> 14)))
}

/// The frame's header, behind segments that each say their length: ITU-T T.81, B.2.2. A frame that is neither baseline nor progressive is none.
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bytes.strip_prefix(b"\xFF\xD8")?;
    let segments = iter::from_fn(|| {
        let (&[0xFF, marker, high, low], _) = rest.split_first_chunk()? else { return None };
        let (segment, behind) = rest.split_at_checked(2 + usize::from(u16::from_be_bytes([high, low])))?;
        rest = behind;
        // The marker, the length, and what it is of.
        Some((marker, segment.get(4..)?))
    });
    for (marker, segment) in segments {
        match marker {
            0xC0..=0xC2 => {
                let &[_, height_high, height_low, width_high, width_low] = segment.first_chunk()?;
                let side = |high: u8, low: u8| u32::from(u16::from_be_bytes([high, low]));
                return Some((side(width_high, width_low), side(height_high, height_low)));
            }
            // Tables, restarts, and what applications and people note.
            0xC4 | 0xDB | 0xDD | 0xE0..=0xEF | 0xFE => {}
            _ => return None,
        }
    }
    None
}

/// The beginnings of pictures.
#[cfg(test)]
pub(crate) mod samples {
    pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
        [b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR", &width.to_be_bytes()[..], &height.to_be_bytes(), b"\x08\x06\0\0\0"]
            .concat()
    }

    pub(crate) fn webp(width: u32, height: u32) -> Vec<u8> {
        let size = (width.wrapping_sub(1) & 0x3FFF) | ((height.wrapping_sub(1) & 0x3FFF) << 14);
        [b"RIFF\x20\0\0\0WEBPVP8L\x10\0\0\0\x2F", &size.to_le_bytes()[..]].concat()
    }

    pub(crate) fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let frame =
            [b"\xFF\xC0\0\x0B\x08", &height.to_be_bytes()[..], &width.to_be_bytes(), b"\x01\x01\x11\0"].concat();
        [b"\xFF\xD8\xFF\xE0\0\x06JFIF\xFF\xDB\0\x03\0", &frame[..]].concat()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use vestibule_domain::policy::InspectLimits;
    use vestibule_media::{VARIANTS, thumbnails};

    use super::*;

    #[test]
    fn a_header_says_how_large_a_picture_is() {
        assert_eq!(said("image/png", &samples::png(70_000, 2)), Some((70_000, 2)));
        assert_eq!(said("image/webp", &samples::webp(16_384, 1)), Some((16_384, 1)));
        assert_eq!(said("image/jpeg", &samples::jpeg(320, 213)), Some((320, 213)));
        assert_eq!(said("image/gif", b"GIF89a\x01\0\x01\0"), None);
        // A frame behind the scan is not the one that is drawn.
        let behind = [b"\xFF\xD8\xFF\xDA\0\x02", &samples::jpeg(1, 1)[2..]].concat();
        assert_eq!(said("image/jpeg", &behind), None);
    }

    #[test]
    fn what_ends_before_its_size_says_nothing() {
        for (content_type, whole, least) in [
            ("image/png", samples::png(7, 7), 24),
            ("image/webp", samples::webp(7, 7), 25),
            ("image/jpeg", samples::jpeg(7, 7), 28),
        ] {
            for end in 0..whole.len() {
                assert_eq!(said(content_type, &whole[..end]).is_some(), end >= least, "{content_type} {end}");
            }
        }
        // A segment whose length does not hold even itself.
        assert_eq!(said("image/jpeg", b"\xFF\xD8\xFF\xE0\0\0\xFF\xE0\0\0"), None);
    }

    #[test]
    fn our_thumbnails_say_their_size() {
        let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/files");
        for (name, content_type, becomes) in
            [("progressive.jpg", "image/jpeg", "image/jpeg"), ("png-alpha.png", "image/png", "image/webp")]
        {
            let bytes = std::fs::read(files.join(name)).unwrap();
            let content_type = content_type.parse().unwrap();
            for made in thumbnails(&content_type, bytes, &InspectLimits::default(), &VARIANTS).unwrap() {
                assert_eq!(made.content_type.as_str(), becomes, "{name}");
                assert_eq!(said(becomes, &made.bytes.0), Some((made.width, made.height)), "{name}");
            }
        }
        // No fixture's thumbnail is a PNG.
        let png = std::fs::read(files.join("png-alpha.png")).unwrap();
        assert_eq!(said("image/png", &png), Some((600, 450)));
    }
}
