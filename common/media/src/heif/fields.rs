//! What stands in boxes: further boxes, and numbers. ISO/IEC 14496-12, 4.2.

use crate::boxes::next;
use crate::structure::{count, take, take_array};
use crate::trouble::Trouble;

/// The first box of that name.
///
/// # Errors
/// As [`next`].
pub(crate) fn find(mut body: &[u8], name: [u8; 4]) -> Result<Option<&[u8]>, Trouble> {
    while let Some(part) = next(&mut body)? {
        if part.name == name {
            return Ok(Some(part.body));
        }
    }
    Ok(None)
}

/// The version and the flags that a "full" box begins with.
pub(crate) fn version_and_flags(rest: &mut &[u8]) -> Result<(u8, u32), Trouble> {
    let [version, a, b, c] = take_array(rest)?;
    Ok((version, u32::from_be_bytes([0, a, b, c])))
}

/// A number of two bytes.
pub(crate) fn short(rest: &mut &[u8]) -> Result<u16, Trouble> {
    Ok(u16::from_be_bytes(take_array(rest)?))
}

/// A number of four bytes.
pub(crate) fn long(rest: &mut &[u8]) -> Result<u32, Trouble> {
    Ok(u32::from_be_bytes(take_array(rest)?))
}

/// A number of two bytes or, where `is_long`, of four.
pub(crate) fn short_or_long(rest: &mut &[u8], is_long: bool) -> Result<u32, Trouble> {
    if is_long { long(rest) } else { Ok(short(rest)?.into()) }
}

/// A number of `bytes` bytes, of which there may be none to eight.
pub(crate) fn number(rest: &mut &[u8], bytes: u8) -> Result<u64, Trouble> {
    let taken = take(rest, count(bytes.min(8).into()))?;
    Ok(taken.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boxes::tests::part;

    #[test]
    fn the_first_box_of_a_name_is_found() {
        let boxes = [part(b"abcd", &[b"x"]), part(b"efgh", &[b"y"]), part(b"efgh", &[b"z"])].concat();
        assert_eq!(find(&boxes, *b"efgh"), Ok(Some(&b"y"[..])));
        assert_eq!(find(&boxes, *b"none"), Ok(None));
        assert!(find(&boxes[..boxes.len() - 1], *b"none").is_err());
    }

    #[test]
    fn numbers_have_any_length() {
        let mut rest = &[1, 2, 3, 4, 5, 6, 7, 8, 9][..];
        assert_eq!(number(&mut rest, 0), Ok(0));
        assert_eq!(number(&mut rest, 3), Ok(0x01_0203));
        assert_eq!(short_or_long(&mut rest, true), Ok(0x0405_0607));
        assert!(number(&mut rest, 8).is_err());
    }
}
