//! Whether a PDF is encrypted: its trailer, or the dictionary of its cross-reference stream, then has an `Encrypt` entry.
//! ISO 32000-1, 7.5.5 and 7.5.8.

use memchr::{memchr_iter, memmem};

use crate::sparse::{Missing, Sparse};

/// How far from the end the last trailer may be, and how long a dictionary.
const WITHIN: u64 = 64 * 1024;

/// Most places in a file that is there in whole at which it may say `Encrypt`.
const MAX_MENTIONS: usize = 256;

/// Looks at the last trailer and at what `startxref` points at, and at every other trailer where the file is there in whole: a reader that
/// does not find the one that it is led to looks for others.
pub(super) fn is_encrypted(file: &Sparse) -> Result<bool, Missing> {
    if let Some(bytes) = file.whole() {
        return Ok(has_encrypted_trailer(bytes));
    }
    by_ranges(file)
}

fn by_ranges(file: &Sparse) -> Result<bool, Missing> {
    let size = file.size();
    let tail = file.bytes(size.saturating_sub(WITHIN)..size)?;
    let Some(start) = memmem::rfind(&tail, b"startxref") else { return Ok(false) };
    let before = tail.get(..start).unwrap_or_default();
    let trailer = memmem::rfind(before, b"trailer").and_then(|at| before.get(at..)).unwrap_or_default();
    if has_encrypt(trailer) {
        return Ok(true);
    }
    let digits = tail.get(start + b"startxref".len()..).unwrap_or_default().trim_ascii_start();
    let digits = digits.iter().take(20).take_while(|byte| byte.is_ascii_digit());
    let at = digits.fold(0_u64, |number, digit| number.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
    if at >= size {
        return Ok(false);
    }
    let section = file.bytes(at..size.min(at + WITHIN))?;
    // Of a table the trailer comes behind it; of a stream the dictionary comes before it.
    let end = memmem::find(&section, b"startxref").unwrap_or(section.len());
    let section = section.get(..end).unwrap_or_default();
    let end = memmem::find(section, b"stream").unwrap_or(section.len());
    Ok(has_encrypt(section.get(..end).unwrap_or_default()))
}

/// Whether any trailer, or dictionary of a cross-reference stream, has the entry.
fn has_encrypted_trailer(bytes: &[u8]) -> bool {
    let within = usize::try_from(WITHIN).unwrap_or(usize::MAX);
    mentions(bytes).take(MAX_MENTIONS).any(|at| {
        let before = bytes.get(at.saturating_sub(within)..at).unwrap_or_default();
        let nearest = |word: &[u8]| memmem::rfind(before, word);
        let begun = nearest(b"stream").max(nearest(b"endobj"));
        if let Some(trailer) = nearest(b"trailer").filter(|trailer| Some(*trailer) > begun) {
            let dictionary = before.get(trailer + b"trailer".len()..).unwrap_or_default();
            return dictionary.trim_ascii_start().starts_with(b"<<");
        }
        let Some(object) = nearest(b"obj").filter(|object| Some(*object) > begun.map(|begun| begun + b"end".len()))
        else {
            return false;
        };
        let after = bytes.get(at..bytes.len().min(at.saturating_add(within))).unwrap_or_default();
        let Some(stream) = memmem::find(after, b"stream")
            .filter(|stream| memmem::find(after, b"endobj").is_none_or(|end| end > *stream))
        else {
            return false;
        };
        let dictionary = [before.get(object..).unwrap_or_default(), after.get(..stream).unwrap_or_default()];
        dictionary.iter().any(|part| names(part, b"XRef").next().is_some())
    })
}

/// Whether a dictionary has the name itself, and not only one that begins with it, such as `EncryptMetadata`, and not for nothing: an entry
/// whose value is null is none. ISO 32000-1, 7.3.7.
fn has_encrypt(dictionary: &[u8]) -> bool {
    mentions(dictionary).next().is_some()
}

/// Where `Encrypt` is a key that has a value.
fn mentions(bytes: &[u8]) -> impl Iterator<Item = usize> {
    names(bytes, b"Encrypt").filter_map(|(at, end)| {
        let value = bytes.get(end..).unwrap_or_default().trim_ascii_start();
        let is_null =
            value.strip_prefix(b"null").is_some_and(|rest| rest.first().is_none_or(|next| is_delimiter(*next)));
        (!is_null).then_some(at)
    })
}

/// Where a name begins and ends. Any of its characters may be written as two digits behind a `#`. ISO 32000-1, 7.3.5.
fn names(bytes: &[u8], name: &'static [u8]) -> impl Iterator<Item = (usize, usize)> {
    memchr_iter(b'/', bytes).filter_map(move |at| {
        let mut end = at + 1;
        for wanted in name {
            let (found, length) = character(bytes.get(end..)?)?;
            if found != *wanted {
                return None;
            }
            end += length;
        }
        bytes.get(end).is_none_or(|next| is_delimiter(*next)).then_some((at, end))
    })
}

/// One character of a name, and in how many bytes it is written.
fn character(bytes: &[u8]) -> Option<(u8, usize)> {
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    match bytes.first()? {
        b'#' => u8::try_from(digit(1)? * 16 + digit(2)?).ok().map(|byte| (byte, 3)),
        plain => Some((*plain, 1)),
    }
}

/// White space and what begins something else: ISO 32000-1, 7.2.2.
fn is_delimiter(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(byte, 0 | b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encrypted(bytes: &[u8]) -> bool {
        let mut file = Sparse::new(bytes.len() as u64);
        file.supply(0, bytes.to_vec());
        let is_said = is_encrypted(&file).unwrap();
        assert_eq!(by_ranges(&file).unwrap(), is_said);
        is_said
    }

    #[test]
    fn the_trailers_entry_counts_and_nothing_else() {
        assert!(encrypted(b"%PDF-1.4\nxref\n0 1\ntrailer\n<< /Size 1 /Encrypt 5 0 R >>\nstartxref\n9\n%%EOF"));
        assert!(encrypted(b"%PDF-1.4\nxref\ntrailer<</Encrypt<</V 1>>>>startxref 9 %%EOF"));
        assert!(!encrypted(b"%PDF-1.4\nxref\ntrailer\n<< /EncryptMetadata false >>\nstartxref\n9\n%%EOF"));
        assert!(!encrypted(b"%PDF-1.4\n(a text about /Encrypt and more)\nxref\ntrailer\n<< >>\nstartxref\n45\n%%EOF"));
        assert!(!encrypted(b"%PDF-1.4 without a trailer"));
        assert!(!encrypted(b"startxref\n99999999999999999999999999\n%%EOF"));
    }

    #[test]
    fn a_cross_reference_stream_is_followed_to_where_it_is() {
        let head = b"%PDF-1.5\n";
        let stream = b"1 0 obj << /Type /XRef /Encrypt 5 0 R /W [1 2 1] >> stream\nbytes\nendstream endobj\n";
        let padding = vec![b' '; 200_000];
        let bytes = [&head[..], stream, &padding, b"startxref\n9\n%%EOF"].concat();
        assert!(encrypted(&bytes));
        let plain = b"1 0 obj << /Type /XRef >> stream\n/Encrypt 5 0 R\nendstream endobj\n";
        assert!(!encrypted(&[&head[..], plain, &padding, b"startxref\n9\n%%EOF"].concat()));
    }

    #[test]
    fn a_key_is_one_however_it_is_written_and_none_without_a_value() {
        let with = |entry: &str| encrypted(format!("%PDF-1.4\ntrailer\n<< {entry} >>\nstartxref\n9\n%%EOF").as_bytes());
        assert!(with("/Encr#79pt 5 0 R") && with("/#45#6E#63rypt<</V 1>>") && with("/Encrypt nullable"));
        assert!(
            !with("/Encrypt null") && !with("/Encrypt null/Size 1") && !with("/Encr#7") && !with("/Encr#7Apt 5 0 R")
        );
    }

    #[test]
    fn in_a_whole_file_a_trailer_is_found_that_nothing_leads_to() {
        let whole = |bytes: &[u8]| has_encrypted_trailer(bytes);
        let behind =
            [&b"%PDF-1.4\ntrailer\n<</Encrypt 5 0 R>>\nstartxref\n9\n%%EOF"[..], &b"\n".repeat(70_000)].concat();
        assert!(whole(&behind));
        assert!(whole(
            b"%PDF-1.5\n1 0 obj <</W [1 2 1] /Encrypt 5 0 R /Type /XR#65f>> stream\nbytes\nendstream endobj\n%%EOF"
        ));
        // Words in a page, or an object of another kind, are no trailer.
        assert!(!whole(b"%PDF-1.4\n1 0 obj <<>> stream\n(see /Encrypt 5 0 R in the trailer)\nendstream endobj\n"));
        assert!(!whole(b"%PDF-1.4\n1 0 obj <</Encrypt 5>> endobj\n2 0 obj <</Type /XRef>> stream\nendstream endobj\n"));
        assert!(!whole(&b"/Encrypt 1 ".repeat(10_000)));
    }
}
