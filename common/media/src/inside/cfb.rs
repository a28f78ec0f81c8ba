//! Whether an Office document is encrypted: it is then a compound file with a stream named `EncryptedPackage`.
//! [MS-OFFCRYPTO] 1.3.2, [MS-CFB] 2.2.

use memchr::memmem;

use super::number;
use crate::sparse::{Missing, Sparse};

/// How much of the directory is looked at: 512 entries of 128 bytes, of which an encrypted document has about ten.
const DIRECTORY_BYTES: u64 = 64 * 1024;

/// Looks for the stream in the directory.
pub(super) fn is_encrypted(file: &Sparse) -> Result<bool, Missing> {
    let head = file.head();
    let (Some(shift @ (9 | 12)), Some(sector)) = (number::<2>(head, 30), number::<4>(head, 48)) else {
        return Ok(false);
    };
    let at = (sector + 1) << shift;
    if at >= file.size() {
        return Ok(false);
    }
    let directory = file.bytes(at..file.size().min(at + DIRECTORY_BYTES))?;
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    Ok(memmem::find(&directory, &name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_found_in_the_directory() {
        let mut bytes = vec![0; 2048];
        bytes[30] = 9;
        bytes[48] = 1;
        let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let encrypted = |bytes: &[u8]| {
            let mut file = Sparse::new(bytes.len() as u64);
            file.supply(0, bytes.to_vec());
            is_encrypted(&file).unwrap()
        };
        assert!(!encrypted(&bytes));
        bytes[1024..1024 + name.len()].copy_from_slice(&name);
        assert!(encrypted(&bytes));
        bytes[48..52].fill(0xFF);
        assert!(!encrypted(&bytes));
    }
}
