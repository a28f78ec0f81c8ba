//! A zip archive's end record and directory. What its entries really hold is not looked at: the directory is what every program
//! that would unpack it goes by. <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>

use memchr::memmem;
use vestibule_domain::content_type::ContentType;
use vestibule_domain::policy::{InspectLimits, InspectPolicy, SMALL_ARCHIVE_BYTES};
use vestibule_domain::rejection::RejectionCode;

use super::{Inside, MAX_DIRECTORY_BYTES, Stop, number, refuse_encrypted};
use crate::sparse::{Missing, Sparse};

const END: &[u8] = b"PK\x05\x06";
const END_LENGTH: usize = 22;
const END_64: &[u8] = b"PK\x06\x06";
const END_64_LENGTH: u64 = 56;
const LOCATOR_64: &[u8] = b"PK\x06\x07";
const LOCATOR_64_LENGTH: u64 = 20;
const ENTRY: &[u8] = b"PK\x01\x02";
const ENTRY_LENGTH: usize = 46;

const JAVA_ARCHIVE: &str = "application/java-archive";
const MANIFEST: &[u8] = b"META-INF/MANIFEST.MF";

/// Where an end record may be: its own length and the longest comment behind it.
const TAIL: u64 = 22 + 65_535;

/// What the end record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct End {
    entries: u64,
    directory_at: u64,
    directory_size: u64,
    /// There are two end records, and programs that read the one see another archive than those that read the other.
    ambiguous: bool,
}

/// What the directory says.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Directory {
    entries: u64,
    packed: u64,
    unpacked: u64,
    encrypted: bool,
    /// It has what makes it a program for Java.
    runnable: bool,
}

/// Looks at an archive's end and directory.
pub(super) fn look(file: &Sparse, kept: &ContentType, policy: &InspectPolicy) -> Result<Inside, Stop> {
    let damaged = |detail: &str| Stop::refused(RejectionCode::Damaged, detail);
    let end = find_end(file)?.ok_or_else(|| damaged("a zip archive without its end record"))?;
    let limits = &policy.limits;
    if end.ambiguous {
        return Err(Stop::refused(RejectionCode::Polyglot, "two end records that differ"));
    }
    if end.entries > limits.max_archive_entries {
        return Err(bomb(format!("{} entries", end.entries)));
    }
    if end.directory_size > MAX_DIRECTORY_BYTES {
        return Err(bomb(format!("a directory of {} bytes", end.directory_size)));
    }
    let bytes = file.bytes(end.directory_at..end.directory_at.saturating_add(end.directory_size))?;
    let directory = walk(&bytes, limits)?;
    if directory.entries < end.entries {
        return Err(damaged("a zip archive whose directory lacks entries"));
    }
    check(&directory, file.size(), limits)?;
    // The first entries decide what type is found; a manifest may come later.
    let java = JAVA_ARCHIVE.parse::<ContentType>();
    if directory.runnable
        && kept.as_str() == "application/zip"
        && java.is_ok_and(|java| policy.admission.judge(&java).is_err())
    {
        return Err(Stop::refused(RejectionCode::TypeNotAllowed, "a manifest of a Java archive"));
    }
    if directory.encrypted {
        refuse_encrypted(policy)?;
    }
    Ok(Inside { entries: Some(directory.entries), unpacked_size: Some(directory.unpacked) })
}

/// Whether a file that is no archive ends like one, and so is one to every program that reads archives.
pub(super) fn has_end_record(file: &Sparse) -> Result<bool, Missing> {
    let size = file.size();
    let tail_at = size.saturating_sub(TAIL);
    let tail = file.bytes(tail_at..size)?;
    for at in memmem::find_iter(&tail, END) {
        // A large archive has another record before this one, and a locator of it in between.
        let before = tail.get(..at).unwrap_or_default();
        if before.get(before.len().saturating_sub(20)..).is_some_and(|locator| locator.starts_with(LOCATOR_64)) {
            return Ok(true);
        }
        // Counts may lie; what makes it an archive is a directory before its end. An empty one opens as nothing.
        let length = number::<4>(&tail, at + 12).filter(|length| *length >= ENTRY_LENGTH as u64);
        let directory_at = length.and_then(|length| (tail_at + at as u64).checked_sub(length));
        let Some(directory_at) = directory_at.filter(|_| tail.len() - at >= END_LENGTH) else { continue };
        if file.bytes(directory_at..directory_at + ENTRY.len() as u64)? == ENTRY {
            return Ok(true);
        }
    }
    Ok(false)
}

fn bomb(detail: String) -> Stop {
    Stop::Refused(RejectionCode::ArchiveBomb, detail)
}

/// The end record: the last one that ends where the file does, or else the last one that fits.
fn find_end(file: &Sparse) -> Result<Option<End>, Missing> {
    let size = file.size();
    let tail_at = size.saturating_sub(TAIL);
    let tail = file.bytes(tail_at..size)?;
    let fits = |at: &usize| tail.len() - at >= END_LENGTH;
    let ends = |at: &usize| {
        let comment = number::<2>(&tail, at + 20).and_then(|length| usize::try_from(length).ok());
        comment.is_some_and(|comment| at + END_LENGTH + comment == tail.len())
    };
    let last = |wanted: &dyn Fn(&usize) -> bool| memmem::rfind_iter(&tail, END).filter(fits).find(|at| wanted(at));
    let Some(at) = last(&ends).or_else(|| last(&|_| true)) else { return Ok(None) };
    let at_in_file = tail_at + at as u64;
    let (Some(entries), Some(length)) = (number::<2>(&tail, at + 10), number::<4>(&tail, at + 12)) else {
        return Ok(None);
    };
    let small = at_in_file.checked_sub(length).map(|directory_at| {
        // Not where the record says: what is put before an archive moves it, and it opens all the same.
        End { entries, directory_at, directory_size: length, ambiguous: false }
    });
    let saturated = entries == 0xFFFF || length == 0xFFFF_FFFF || number::<4>(&tail, at + 16) == Some(0xFFFF_FFFF);
    Ok(match find_end_64(file, at_in_file)? {
        Some(large) => {
            let same = |number: u64, large: u64, most: u64| number == large || number == most;
            let agree = same(entries, large.entries, 0xFFFF) && same(length, large.directory_size, 0xFFFF_FFFF);
            Some(End { ambiguous: !agree, ..large })
        }
        None if saturated && small.is_none() => None,
        None => small,
    })
}

/// The end record of a large archive, which a locator right before the other one points at.
fn find_end_64(file: &Sparse, end_at: u64) -> Result<Option<End>, Missing> {
    let Some(locator_at) = end_at.checked_sub(LOCATOR_64_LENGTH) else { return Ok(None) };
    let locator = file.bytes(locator_at..end_at)?;
    if !locator.starts_with(LOCATOR_64) {
        return Ok(None);
    }
    let Some(at) = number::<8>(&locator, 8).filter(|at| at.saturating_add(END_64_LENGTH) <= file.size()) else {
        return Ok(None);
    };
    let record = file.bytes(at..at + END_64_LENGTH)?;
    let fields = (number::<8>(&record, 32), number::<8>(&record, 40), number::<8>(&record, 48));
    let (Some(entries), Some(directory_size), Some(directory_at)) = fields else { return Ok(None) };
    let inside = directory_at.checked_add(directory_size).is_some_and(|end| end <= file.size());
    // Counts are judged before the directory is looked at, so one that cannot be there still has a count.
    let directory_at = if inside { directory_at } else { 0 };
    let end = End { entries, directory_at, directory_size, ambiguous: false };
    Ok(record.starts_with(END_64).then_some(end))
}

/// Adds the directory's entries up.
fn walk(mut bytes: &[u8], limits: &InspectLimits) -> Result<Directory, Stop> {
    let mut sum = Directory::default();
    while !bytes.is_empty() {
        let entry = Entry::read(bytes).ok_or_else(|| {
            Stop::refused(
                RejectionCode::Damaged,
                format!("entry {} of a zip archive's directory is broken", sum.entries),
            )
        })?;
        sum.entries += 1;
        sum.packed = sum.packed.saturating_add(entry.packed);
        sum.unpacked = sum.unpacked.saturating_add(entry.unpacked);
        sum.encrypted |= entry.encrypted;
        sum.runnable |= entry.is_manifest;
        // The end record's count has 16 bits, and may be any number but the right one.
        if sum.entries > limits.max_archive_entries {
            return Err(bomb(format!("more than {} entries", limits.max_archive_entries)));
        }
        bytes = bytes.get(entry.length..).unwrap_or_default();
    }
    Ok(sum)
}

fn check(directory: &Directory, size: u64, limits: &InspectLimits) -> Result<(), Stop> {
    let unpacked = directory.unpacked;
    if unpacked > limits.max_archive_bytes {
        return Err(bomb(format!("it unpacks to {unpacked} bytes")));
    }
    if unpacked > SMALL_ARCHIVE_BYTES && unpacked > size.saturating_mul(limits.max_archive_ratio) {
        return Err(bomb(format!("it unpacks to {unpacked} bytes from {size}")));
    }
    // Entries that share their bytes: each alone looks honest. <https://www.bamsoftware.com/hacks/zipbomb/>
    if unpacked > SMALL_ARCHIVE_BYTES && directory.packed > size {
        return Err(bomb(format!("its entries hold {} bytes and it has {size}", directory.packed)));
    }
    Ok(())
}

/// An entry of the directory.
struct Entry {
    packed: u64,
    unpacked: u64,
    encrypted: bool,
    is_manifest: bool,
    /// Bytes of the entry in the directory.
    length: usize,
}

impl Entry {
    fn read(bytes: &[u8]) -> Option<Self> {
        const ENCRYPTED: u64 = 1;
        const HEADERS_MASKED: u64 = 1 << 13;
        let header = bytes.get(..ENTRY_LENGTH).filter(|header| header.starts_with(ENTRY))?;
        let length = |at| usize::try_from(number::<2>(header, at)?).ok();
        let (name, extra, comment) = (length(28)?, length(30)?, length(32)?);
        let is_manifest = bytes.get(ENTRY_LENGTH..ENTRY_LENGTH + name)?.eq_ignore_ascii_case(MANIFEST);
        let extra_at = ENTRY_LENGTH + name;
        let extra = bytes.get(extra_at..extra_at + extra)?;
        let end = extra_at + extra.len() + comment;
        bytes.get(..end)?;
        let (packed, unpacked) = (number::<4>(header, 20)?, number::<4>(header, 24)?);
        let mut large = large_sizes(extra);
        let mut size = |small: u64| if small == 0xFFFF_FFFF { large.next().unwrap_or(small) } else { small };
        let unpacked = size(unpacked);
        let packed = size(packed);
        let encrypted = number::<2>(header, 8)? & (ENCRYPTED | HEADERS_MASKED) != 0;
        Some(Self { packed, unpacked, encrypted, is_manifest, length: end })
    }
}

/// The numbers in the extra field that holds what does not fit into 32 bits: unpacked size first, then packed.
fn large_sizes(mut extra: &[u8]) -> impl Iterator<Item = u64> {
    let mut found: &[u8] = &[];
    while let (Some(id), Some(length)) = (number::<2>(extra, 0), number::<2>(extra, 2)) {
        let end = 4 + usize::try_from(length).unwrap_or(usize::MAX - 4);
        if id == 1 {
            found = extra.get(4..end.min(extra.len())).unwrap_or_default();
            break;
        }
        extra = extra.get(end..).unwrap_or_default();
    }
    found.chunks_exact(8).filter_map(|eight| number::<8>(eight, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zip_type() -> ContentType {
        "application/zip".parse().unwrap()
    }

    fn entry(packed: u32, unpacked: u32, flags: u16) -> Vec<u8> {
        let mut bytes = ENTRY.to_vec();
        bytes.extend([20, 0, 20, 0]);
        bytes.extend(flags.to_le_bytes());
        bytes.extend([0; 10]);
        bytes.extend(packed.to_le_bytes());
        bytes.extend(unpacked.to_le_bytes());
        bytes.extend(1_u16.to_le_bytes());
        bytes.extend([0; 16]);
        bytes.push(b'a');
        bytes
    }

    fn end(entries: u16, directory: &[u8], comment: &[u8]) -> Vec<u8> {
        let mut bytes = END.to_vec();
        bytes.extend([0; 4]);
        bytes.extend(entries.to_le_bytes());
        bytes.extend(entries.to_le_bytes());
        bytes.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(u16::try_from(comment.len()).unwrap().to_le_bytes());
        bytes.extend(comment);
        bytes
    }

    fn file(bytes: &[u8]) -> Sparse {
        let mut file = Sparse::new(bytes.len() as u64);
        file.supply(0, bytes.to_vec());
        file
    }

    fn zip(entries: &[Vec<u8>]) -> Vec<u8> {
        let directory = entries.concat();
        let end = end(u16::try_from(entries.len()).unwrap(), &directory, b"");
        [&b"PK\x03\x04 what the entries hold"[..], &directory, &end].concat()
    }

    fn code(bytes: &[u8], limits: InspectLimits) -> Option<RejectionCode> {
        let policy = InspectPolicy { limits, ..InspectPolicy::default() };
        match look(&file(bytes), &zip_type(), &policy) {
            Ok(_) => None,
            Err(Stop::Refused(code, _)) => Some(code),
            Err(Stop::Missing(missing)) => panic!("{missing:?}"),
        }
    }

    #[test]
    fn an_honest_archive_says_what_it_holds() {
        let bytes = zip(&[entry(10, 1000, 0), entry(5, 5, 0)]);
        let inside = look(&file(&bytes), &zip_type(), &InspectPolicy::default()).unwrap();
        assert_eq!(inside, Inside { entries: Some(2), unpacked_size: Some(1005) });
        let moved = [b"#!something before it", &bytes[..]].concat();
        assert_eq!(look(&file(&moved), &zip_type(), &InspectPolicy::default()).unwrap(), inside);
        let empty = zip(&[]);
        assert_eq!(look(&file(&empty), &zip_type(), &InspectPolicy::default()).unwrap().entries, Some(0));
    }

    #[test]
    fn every_limit_is_inclusive() {
        let many = |count| zip(&vec![entry(1, 1, 0); count]);
        let limits = InspectLimits { max_archive_entries: 5, ..InspectLimits::default() };
        assert_eq!(code(&many(5), limits), None);
        assert_eq!(code(&many(6), limits), Some(RejectionCode::ArchiveBomb));
        let limits = InspectLimits { max_archive_bytes: 1000, ..InspectLimits::default() };
        assert_eq!(code(&zip(&[entry(1, 1000, 0)]), limits), None);
        assert_eq!(code(&zip(&[entry(1, 1001, 0)]), limits), Some(RejectionCode::ArchiveBomb));
        // Small archives may be as dense as they like.
        let small = u32::try_from(SMALL_ARCHIVE_BYTES).unwrap();
        assert_eq!(code(&zip(&[entry(1, small, 0)]), InspectLimits::default()), None);
        assert_eq!(code(&zip(&[entry(1, small + 1, 0)]), InspectLimits::default()), Some(RejectionCode::ArchiveBomb));
    }

    #[test]
    fn the_ratio_is_inclusive() {
        // The file's length, as a directory with one entry and an end record, and what a tenth entry of its length would hold.
        let of = |unpacked: u32| zip(&[entry(1, unpacked, 0)]);
        let size = u64::try_from(of(0).len()).unwrap();
        let limits = InspectLimits { max_archive_ratio: 1_000_000, ..InspectLimits::default() };
        let most = u32::try_from(size * 1_000_000).unwrap();
        assert!(u64::from(most) > SMALL_ARCHIVE_BYTES);
        assert_eq!(code(&of(most - 1), limits), None);
        assert_eq!(code(&of(most), limits), None);
        assert_eq!(code(&of(most + 1), limits), Some(RejectionCode::ArchiveBomb));
    }

    #[test]
    fn a_manifest_makes_a_program_of_an_archive_wherever_it_stands() {
        let mut manifest = entry(1, 1, 0);
        manifest[28..30].copy_from_slice(&20_u16.to_le_bytes());
        manifest.splice(46..47, *b"META-INF/MANIFEST.MF");
        let mut entries = vec![entry(1, 1, 0); 2000];
        entries.push(manifest);
        assert_eq!(code(&zip(&entries), InspectLimits::default()), Some(RejectionCode::TypeNotAllowed));
    }

    #[test]
    fn two_end_records_that_differ_are_refused() {
        let directory = entry(1, 1, 0);
        let large = |entries: u64| {
            let mut bytes = END_64.to_vec();
            bytes.extend(44_u64.to_le_bytes());
            bytes.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            for number in [entries, entries, directory.len() as u64, 0] {
                bytes.extend(number.to_le_bytes());
            }
            let at = directory.len() as u64;
            bytes.extend(LOCATOR_64);
            bytes.extend([0; 4]);
            bytes.extend(at.to_le_bytes());
            bytes.extend([1, 0, 0, 0]);
            [&directory[..], &bytes, &end(1, &directory, b"")].concat()
        };
        assert_eq!(code(&large(1), InspectLimits::default()), None);
        assert_eq!(code(&large(51), InspectLimits::default()), Some(RejectionCode::Polyglot));
    }

    #[test]
    fn entries_that_share_their_bytes_are_a_bomb() {
        let limits = InspectLimits { max_archive_ratio: u64::MAX, ..InspectLimits::default() };
        let shared = vec![entry(60, 50_000_000, 0); 3];
        assert_eq!(code(&zip(&shared), limits), None, "180 bytes are in a file of some 200");
        let shared = vec![entry(1_000_000, 50_000_000, 0); 3];
        assert_eq!(code(&zip(&shared), limits), Some(RejectionCode::ArchiveBomb));
    }

    #[test]
    fn a_count_that_lies_is_found_out() {
        let directory = vec![entry(1, 1, 0); 6].concat();
        let limits = InspectLimits { max_archive_entries: 5, ..InspectLimits::default() };
        let few = [&directory[..], &end(1, &directory, b"")].concat();
        assert_eq!(code(&few, limits), Some(RejectionCode::ArchiveBomb));
        let many = [&directory[..], &end(7, &directory, b"")].concat();
        assert_eq!(code(&many, InspectLimits::default()), Some(RejectionCode::Damaged));
        assert_eq!(code(b"PK\x03\x04 and no end", InspectLimits::default()), Some(RejectionCode::Damaged));
    }

    #[test]
    fn an_encrypted_entry_is_refused_where_that_is_the_policy() {
        let bytes = zip(&[entry(1, 1, 0), entry(1, 1, 1)]);
        assert_eq!(code(&bytes, InspectLimits::default()), Some(RejectionCode::Encrypted));
        let policy =
            InspectPolicy { encrypted: vestibule_domain::policy::EncryptedFiles::Accept, ..InspectPolicy::default() };
        assert_eq!(look(&file(&bytes), &zip_type(), &policy).unwrap().entries, Some(2));
    }

    #[test]
    fn sizes_of_64_bits_count() {
        let mut large = entry(0xFFFF_FFFF, 0xFFFF_FFFF, 0);
        let extra: Vec<u8> =
            [&[9, 0, 1, 0, 7][..], &[1, 0, 16, 0], &(1_u64 << 40).to_le_bytes(), &9_u64.to_le_bytes()].concat();
        large[30..32].copy_from_slice(&u16::try_from(extra.len()).unwrap().to_le_bytes());
        large.extend(extra);
        let read = Entry::read(&large).unwrap();
        assert_eq!((read.unpacked, read.packed, read.length), (1 << 40, 9, large.len()));
        assert_eq!(code(&zip(&[large]), InspectLimits::default()), Some(RejectionCode::ArchiveBomb));
    }

    #[test]
    fn an_end_record_at_the_end_of_another_file_is_seen() {
        let archive = zip(&[entry(1, 1, 0)]);
        let has = |bytes: &[u8]| has_end_record(&file(bytes)).unwrap();
        assert!(has(&[b"\xFF\xD8 a picture", &archive[..]].concat()));
        assert!(has(&[b"\xFF\xD8 a picture", &archive[..], b"and something behind it"].concat()));
        let lying = [&entry(1, 1, 0)[..], &end(0, &entry(1, 1, 0), b"")].concat();
        assert!(has(&[b"%PDF a page", &lying[..], b"\n"].concat()), "its count lies");
        let large = [b"%PDF a page ", LOCATOR_64, &[0; 16][..], &end(0xFFFF, b"", b"")].concat();
        assert!(has(&large), "a large archive");
        assert!(!has(b"the four letters PK\x05\x06 alone, with whatever follows them in a text"));
        assert!(!has(&zip(&[])), "an empty archive holds nothing");
        assert!(!has(b""));
    }
}
