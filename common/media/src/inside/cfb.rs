//! What the directory of a compound file says: whether an Office document is encrypted, for then there is a stream named
//! `EncryptedPackage`, and whether it holds programs of its own. [MS-OFFCRYPTO] 1.3.2, [MS-OVBA] 2.2.1, [MS-CFB] 2.2 to 2.6.

use vestibule_domain::content_type::ContentType;

use super::{Inside, number};
use crate::sparse::{Missing, Sparse};

/// What a compound file begins with.
pub(super) const SIGNATURE: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
/// How much of the directory is looked at: 512 entries, of which a document has some dozens.
const DIRECTORY_BYTES: usize = 64 * 1024;
/// Bytes of an entry.
const ENTRY: usize = 128;
/// How much is asked for around a sector: the next ones are often near.
const AROUND: u64 = 64 * 1024;
/// In how many parts the file may be there before no more of it is asked for. Its sectors may be anywhere, and are not worth more ranges.
const MAX_PARTS: usize = 7;
/// The sector numbers from which on there are no sectors: the end of a chain, and what is free.
const NO_SECTOR: u64 = 0xFFFF_FFFA;
/// How many sectors of the table of sectors the header names. Those of larger files (7 MB in sectors of 512 bytes) stand elsewhere.
const IN_HEADER: u64 = 109;

/// The directory's entries, as far as they are found.
struct Directory {
    bytes: Vec<u8>,
    /// That is all of it.
    is_whole: bool,
}

/// Looks at the directory of a file that is kept as `kept`.
pub(super) fn look(file: &Sparse, kept: &ContentType) -> Result<Inside, Missing> {
    let directory = directory(file)?;
    let has =
        |wanted: &[&str]| directory.names().any(|name| wanted.iter().any(|wanted| name.eq_ignore_ascii_case(wanted)));
    let macros = if has(&["Macros", "_VBA_PROJECT_CUR", "VBA", "_VBA_PROJECT"]) {
        Some(true)
    } else {
        // Word's are storages. Excel's oldest macros and PowerPoint's are inside of streams, and another file may be anything.
        (directory.is_whole && kept.as_str() == "application/msword").then_some(false)
    };
    Ok(Inside { encrypted: has(&["EncryptedPackage"]), macros, ..Inside::default() })
}

/// Follows the directory from sector to sector.
fn directory(file: &Sparse) -> Result<Directory, Missing> {
    let head = file.head();
    let mut directory = Directory { bytes: Vec::new(), is_whole: false };
    let (Some(shift @ (9 | 12)), Some(mut sector)) = (number::<2>(head, 30), number::<4>(head, 48)) else {
        return Ok(directory);
    };
    // A chain that leads back into itself ends as well.
    while directory.bytes.len() < DIRECTORY_BYTES {
        if sector >= NO_SECTOR {
            directory.is_whole = true;
            break;
        }
        let Some(bytes) = sector_bytes(file, sector, shift)? else { break };
        directory.bytes.extend(bytes);
        let Some(next) = next(file, sector, shift)? else { break };
        sector = next;
    }
    Ok(directory)
}

/// The sector after another one, by the table of sectors; `None` when it is not known.
fn next(file: &Sparse, sector: u64, shift: u64) -> Result<Option<u64>, Missing> {
    let each = 1 << (shift - 2);
    let (table, row) = (sector / each, sector % each);
    if table >= IN_HEADER {
        return Ok(None);
    }
    let in_header = usize::try_from(76 + 4 * table).unwrap_or(usize::MAX);
    let Some(table) = number::<4>(file.head(), in_header) else { return Ok(None) };
    let Some(rows) = sector_bytes(file, table, shift)? else { return Ok(None) };
    Ok(number::<4>(&rows, usize::try_from(4 * row).unwrap_or(usize::MAX)))
}

/// The bytes of a sector; `None` when there is no such one, or when it would cost another range and there were enough.
fn sector_bytes(file: &Sparse, sector: u64, shift: u64) -> Result<Option<Vec<u8>>, Missing> {
    let at = (sector + 1) << shift;
    if at >= file.size() {
        return Ok(None);
    }
    match file.bytes(at..at + (1 << shift)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(_) if file.parts() >= MAX_PARTS => Ok(None),
        Err(Missing(range)) => Err(Missing(range.start..file.size().min(range.start + AROUND))),
    }
}

impl Directory {
    /// The names of storages and streams.
    fn names(&self) -> impl Iterator<Item = String> {
        self.bytes.as_chunks::<ENTRY>().0.iter().filter_map(|entry| {
            const STORAGE_OR_STREAM: [u8; 2] = [1, 2];
            let length = usize::try_from(number::<2>(entry, 64)?).ok()?.checked_sub(2)?;
            let name = entry.get(..length.min(62))?;
            let units: Vec<u16> = name.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
            STORAGE_OR_STREAM.contains(entry.get(66)?).then(|| String::from_utf16_lossy(&units))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, kind: u8) -> Vec<u8> {
        let mut bytes: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        bytes.resize(64, 0);
        bytes.extend(u16::try_from(2 * name.len() + 2).unwrap().to_le_bytes());
        bytes.push(kind);
        bytes.resize(ENTRY, 0);
        bytes
    }

    /// A compound file of `sectors`, whose table of sectors is the first and whose directory has the others named, in this order.
    fn compound(sectors: usize, entries: &[(&str, u8)], chain: &[usize]) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.resize(512 * (sectors + 1), 0);
        bytes[30] = 9;
        bytes[48..52].copy_from_slice(&u32::try_from(chain[0]).unwrap().to_le_bytes());
        for (place, sector) in chain.iter().enumerate() {
            let next = chain.get(place + 1).map_or(0xFFFF_FFFE, |next| u32::try_from(*next).unwrap());
            bytes[512 + 4 * sector..516 + 4 * sector].copy_from_slice(&next.to_le_bytes());
            for (row, (name, kind)) in entries.iter().skip(4 * place).take(4).enumerate() {
                let at = 512 * (sector + 1) + ENTRY * row;
                bytes[at..at + ENTRY].copy_from_slice(&entry(name, *kind));
            }
        }
        bytes
    }

    fn looked(bytes: &[u8], kept: &str) -> (bool, Option<bool>) {
        let mut file = Sparse::new(bytes.len() as u64);
        file.supply(0, bytes.to_vec());
        let inside = look(&file, &kept.parse().unwrap()).unwrap();
        (inside.encrypted, inside.macros)
    }

    const WORD: &str = "application/msword";
    const EXCEL: &str = "application/vnd.ms-excel";

    #[test]
    fn a_stream_of_encrypted_bytes_is_found_in_the_directory() {
        let encrypted = compound(4, &[("Root Entry", 5), ("EncryptionInfo", 2), ("EncryptedPackage", 2)], &[1]);
        assert_eq!(looked(&encrypted, "application/x-cfb"), (true, None));
        let named_alike = compound(4, &[("Root Entry", 5), ("EncryptedPackages", 2), ("EncryptedPackage", 0)], &[1]);
        assert_eq!(looked(&named_alike, "application/x-cfb"), (false, None));
        let mut nowhere = encrypted;
        nowhere[48..52].fill(0xFF);
        assert_eq!(looked(&nowhere, "application/x-cfb"), (false, None));
    }

    #[test]
    fn macros_are_storages_of_their_own_wherever_the_directory_is() {
        let entries = [("Root Entry", 5), ("WordDocument", 2), ("1Table", 2), ("Data", 2), ("Macros", 1), ("VBA", 1)];
        assert_eq!(looked(&compound(9, &entries, &[7, 3]), WORD), (false, Some(true)));
        assert_eq!(looked(&compound(9, &entries[..4], &[7, 3]), WORD), (false, Some(false)));
        let sheets = [("Root Entry", 5), ("Workbook", 2), ("_VBA_PROJECT_CUR", 1)];
        assert_eq!(looked(&compound(9, &sheets, &[2]), EXCEL), (false, Some(true)));
        assert_eq!(looked(&compound(9, &sheets[..2], &[2]), EXCEL), (false, None), "older macros are not seen");
        let mut astray = compound(9, &entries, &[7]);
        astray[512 + 4 * 7..516 + 4 * 7].copy_from_slice(&500_u32.to_le_bytes());
        assert_eq!(looked(&astray, WORD), (false, None), "its directory leads out of the file");
        let mut circular = compound(9, &entries[..4], &[7, 3]);
        circular[512 + 4 * 3..516 + 4 * 3].copy_from_slice(&7_u32.to_le_bytes());
        assert_eq!(looked(&circular, WORD), (false, None));
    }

    #[test]
    fn a_directory_that_is_everywhere_costs_a_bounded_number_of_ranges() {
        let scattered: Vec<usize> = (1..60).map(|place| place * 250).collect();
        let mut bytes = compound(15_000, &[("Root Entry", 5)], &scattered[..1]);
        // The table of sectors is in pieces too, each before what it is about.
        for (place, sector) in scattered.iter().enumerate() {
            let table = sector / 128;
            bytes[76 + 4 * table..80 + 4 * table]
                .copy_from_slice(&u32::try_from(table * 128 + 9).unwrap().to_le_bytes());
            let next = u32::try_from(scattered.get(place + 1).copied().unwrap_or(1)).unwrap();
            let at = 512 * (table * 128 + 10) + 4 * (sector % 128);
            bytes[at..at + 4].copy_from_slice(&next.to_le_bytes());
        }
        let mut file = Sparse::new(bytes.len() as u64);
        file.supply(0, bytes[..65_536].to_vec());
        let mut asked = 0;
        while let Err(Missing(range)) = look(&file, &WORD.parse().unwrap()) {
            let (start, end) = (usize::try_from(range.start).unwrap(), usize::try_from(range.end).unwrap());
            file.supply(range.start, bytes[start..end].to_vec());
            asked += 1;
            assert!(asked < MAX_PARTS + 1, "{asked}");
        }
        assert!(asked > 0);
    }
}
