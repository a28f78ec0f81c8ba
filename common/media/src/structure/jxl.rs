//! JPEG XL: a naked codestream, whose end only its decoder knows, or boxes around one. ISO/IEC 18181-2.

use super::{Structure, take_array};
use crate::boxes::{self, Part};
use crate::trouble::Trouble;

/// What a codestream begins with.
const CODESTREAM: &[u8] = b"\xFF\x0A";

/// The first box.
const SIGNATURE: &[u8] = b"\0\0\0\x0CJXL \r\n\x87\n";

/// The highest bit of the number of a part says that it is the last.
const LAST: u32 = 1 << 31;

/// Walks the boxes.
pub(super) fn walk(bytes: &[u8]) -> Result<Structure, Trouble> {
    if bytes.starts_with(CODESTREAM) {
        return Ok(Structure::default());
    }
    let (_, rest) = parts(bytes)?;
    Ok(Structure::default().ended(bytes, rest))
}

/// The codestream, in pieces.
///
/// # Errors
/// [`Trouble::Damaged`] when boxes are cut off or parts of it are missing.
pub(crate) fn codestream(bytes: &[u8]) -> Result<Vec<&[u8]>, Trouble> {
    if bytes.starts_with(CODESTREAM) { Ok(vec![bytes]) } else { Ok(parts(bytes)?.0) }
}

/// The pieces of the codestream, and what is behind the last box.
fn parts(bytes: &[u8]) -> Result<(Vec<&[u8]>, &[u8]), Trouble> {
    let mut rest = bytes.strip_prefix(SIGNATURE).ok_or_else(|| Trouble::damaged("a JPEG XL without its signature"))?;
    let mut pieces = Vec::new();
    let mut is_whole = false;
    while super::is_box(rest) {
        match boxes::next(&mut rest)? {
            Some(Part { name, body }) if &name == b"jxlc" => {
                pieces.push(body);
                is_whole = true;
            }
            Some(Part { name, mut body }) if &name == b"jxlp" => {
                let number = u32::from_be_bytes(take_array(&mut body)?);
                if u32::try_from(pieces.len()) != Ok(number & !LAST) {
                    return Err(Trouble::damaged("a JPEG XL whose parts are not in order"));
                }
                pieces.push(body);
                is_whole = number & LAST != 0;
            }
            Some(_) | None => {}
        }
    }
    super::no_half_header(rest)?;
    if is_whole { Ok((pieces, rest)) } else { Err(Trouble::damaged("a JPEG XL that ends before its picture does")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boxes::tests::part;

    fn file(parts: &[Vec<u8>]) -> Vec<u8> {
        [SIGNATURE, &part(b"ftyp", &[b"jxl \0\0\0\0jxl "]), &parts.concat()].concat()
    }

    #[test]
    fn every_cut_is_noticed_and_what_is_behind_is_behind_the_end() {
        let whole = file(&[part(b"jxlp", &[&[0; 4], b"\xFF\x0A12"]), part(b"jxlp", &[&[128, 0, 0, 1], b"34"])]);
        assert_eq!(codestream(&whole), Ok(vec![&b"\xFF\x0A12"[..], b"34"]));
        assert_eq!(walk(&whole).unwrap().end, Some(whole.len()));
        for end in 2..whole.len() {
            assert!(matches!(walk(&whole[..end]), Err(Trouble::Damaged(_))), "{end}");
        }
        assert_eq!(walk(&[&whole[..], b"PK\x03\x04\x14\0\0\0"].concat()).unwrap().end, Some(whole.len()));
    }

    #[test]
    fn parts_out_of_order_are_damage() {
        let second = part(b"jxlp", &[&[128, 0, 0, 1], b"34"]);
        assert!(matches!(walk(&file(&[second])), Err(Trouble::Damaged(_))));
        assert!(walk(&file(&[part(b"jxlc", &[b"\xFF\x0A"])])).is_ok());
    }

    #[test]
    fn a_naked_codestream_has_no_end_that_can_be_told() {
        assert_eq!(walk(b"\xFF\x0Awhatever"), Ok(Structure::default()));
        assert_eq!(codestream(b"\xFF\x0Awhatever"), Ok(vec![&b"\xFF\x0Awhatever"[..]]));
    }
}
