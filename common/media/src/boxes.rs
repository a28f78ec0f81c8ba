//! The boxes that ISO base media files are made of: ISO/IEC 14496-12, 4.2.

use crate::structure::{take, take_array};
use crate::trouble::Trouble;

/// A box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    /// Its four letters.
    pub(crate) name: [u8; 4],
    /// What is in it, without the header.
    pub(crate) body: &'a [u8],
}

/// The next box of `rest`; `None` at its end.
///
/// # Errors
/// When the box is longer than what is left, or shorter than its own header.
pub(crate) fn next<'a>(rest: &mut &'a [u8]) -> Result<Option<Part<'a>>, Trouble> {
    if rest.is_empty() {
        return Ok(None);
    }
    let length = u32::from_be_bytes(take_array(rest)?);
    let name = take_array(rest)?;
    let body = match length {
        // It reaches to the end of the file.
        0 => std::mem::take(rest),
        1 => {
            let long = u64::from_be_bytes(take_array(rest)?);
            take(rest, body_length(long, 16)?)?
        }
        length => take(rest, body_length(length.into(), 8)?)?,
    };
    Ok(Some(Part { name, body }))
}

fn body_length(whole: u64, header: u64) -> Result<usize, Trouble> {
    let body = whole.checked_sub(header).ok_or_else(|| Trouble::damaged("a box shorter than its header"))?;
    Ok(usize::try_from(body).unwrap_or(usize::MAX))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A box of these pieces.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "it reads better with literals")]
    pub(crate) fn part(name: &[u8; 4], pieces: &[&[u8]]) -> Vec<u8> {
        let body = pieces.concat();
        [&u32::try_from(body.len() + 8).unwrap().to_be_bytes()[..], name, &body].concat()
    }

    #[test]
    fn boxes_are_as_long_as_they_say() {
        let bytes = b"\0\0\0\x0Aabcdxy\0\0\0\x01long\0\0\0\0\0\0\0\x11z\0\0\0\0restq";
        let mut rest = &bytes[..];
        for (name, body) in [(b"abcd", &b"xy"[..]), (b"long", b"z"), (b"rest", b"q")] {
            assert_eq!(next(&mut rest), Ok(Some(Part { name: *name, body })));
        }
        assert_eq!(next(&mut rest), Ok(None));
    }

    #[test]
    fn a_box_that_is_too_long_or_too_short_is_damage() {
        for bytes in [
            &b"\0\0\0\x0Babcdxy"[..],
            b"\0\0\0\x07abcd",
            b"\0\0\0\x01abcd\0\0\0\0\0\0\0\x0F",
            b"\0\0\0\x01abcd\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
            b"\0\0\0",
        ] {
            assert!(matches!(next(&mut &bytes[..]), Err(Trouble::Damaged(_))), "{bytes:?}");
        }
    }
}
