//! Whether a PDF is encrypted: its trailer, or the dictionary of its cross-reference stream, then has an `Encrypt` entry.
//! ISO 32000-1, 7.5.5 and 7.5.8.

use memchr::memmem;

use crate::sparse::{Missing, Sparse};

/// How far from the end the last trailer may be, and how long a dictionary.
const WITHIN: u64 = 64 * 1024;

/// Looks at the last trailer and at what `startxref` points at.
pub(super) fn is_encrypted(file: &Sparse) -> Result<bool, Missing> {
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

/// Whether a dictionary has the name itself, and not only one that begins with it, such as `EncryptMetadata`.
fn has_encrypt(dictionary: &[u8]) -> bool {
    const NAME: &[u8] = b"/Encrypt";
    memmem::find_iter(dictionary, NAME)
        .any(|at| dictionary.get(at + NAME.len()).is_some_and(|next| !next.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encrypted(bytes: &[u8]) -> bool {
        let mut file = Sparse::new(bytes.len() as u64);
        file.supply(0, bytes.to_vec());
        is_encrypted(&file).unwrap()
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
}
