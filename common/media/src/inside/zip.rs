//! A zip archive's end record and directory. What its entries really hold is not looked at: the directory is what every program
//! that would unpack it goes by. <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>

use memchr::memmem;
use vestibule_domain::content_type::ContentType;
use vestibule_domain::policy::{InspectLimits, InspectPolicy, SMALL_ARCHIVE_BYTES};
use vestibule_domain::rejection::RejectionCode;

use super::macros::Macros;
use super::{Inside, MAX_DIRECTORY_BYTES, number, refuse_encrypted};
use crate::sparse::{Missing, Sparse};
use crate::stop::Stop;

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
    /// There are two end records or directories, and programs that read the one see another archive than those that read the other.
    ambiguous: bool,
}

impl End {
    /// What is to be found nowhere in particular.
    const CONTRADICTORY: Self = Self { entries: 0, directory_at: 0, directory_size: 0, ambiguous: true };
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
    /// It has what a document's own programs are in.
    macros: Macros,
}

/// Looks at an archive's end and directory.
pub(super) fn look(file: &Sparse, policy: &InspectPolicy) -> Result<Inside, Stop> {
    let damaged = |detail: &str| Stop::refused(RejectionCode::Damaged, detail);
    let end = find_end(file)?.ok_or_else(|| damaged("a zip archive without its end record"))?;
    let limits = &policy.limits;
    if end.ambiguous {
        return Err(Stop::refused(RejectionCode::Polyglot, "two archives in one"));
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
    if directory.runnable && java.is_ok_and(|java| policy.admission.judge(&java).is_err()) {
        return Err(Stop::refused(RejectionCode::TypeNotAllowed, "a manifest of a Java archive"));
    }
    if directory.encrypted {
        refuse_encrypted(policy)?;
    }
    Ok(Inside {
        entries: Some(directory.entries),
        unpacked_size: Some(directory.unpacked),
        macros: directory.macros.fact(),
        encrypted: directory.encrypted,
    })
}

/// Where a file that does not begin like an archive has the end record of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EndRecord {
    /// Where the file ends: to every program that reads archives it is one.
    Last,
    /// Before that, where some look for it and where an archive inside another file has its own.
    Inside,
}

/// Where a file that does not begin like an archive has the end record of one, with a directory that is there.
pub(super) fn end_record(file: &Sparse) -> Result<Option<EndRecord>, Missing> {
    let size = file.size();
    let tail_at = size.saturating_sub(TAIL);
    let tail = file.bytes(tail_at..size)?;
    let mut found = None;
    for at in memmem::rfind_iter(&tail, END) {
        let at_in_file = tail_at + at as u64;
        let Some(record) = Record::read(&tail, at) else { continue };
        // A large archive has another record before this one, and a locator of it in between. Counts may lie; what makes it an
        // archive is a directory before its end, or where the record says. An empty one opens as nothing.
        let is_archive = locator_64(file, at_in_file)?.is_some()
            || record.directory_size >= ENTRY_LENGTH as u64
                && (begins_entry(file, at_in_file.checked_sub(record.directory_size))?
                    || begins_entry(file, Some(record.directory_at))?);
        match (is_archive, record.is_last) {
            (true, true) => return Ok(Some(EndRecord::Last)),
            (true, false) => found = Some(EndRecord::Inside),
            (false, _) => {}
        }
    }
    Ok(found)
}

/// Whether an entry of a directory begins there.
fn begins_entry(file: &Sparse, at: Option<u64>) -> Result<bool, Missing> {
    let Some(at) = at else { return Ok(false) };
    Ok(file.bytes(at..at.saturating_add(ENTRY.len() as u64))? == ENTRY)
}

/// An end record as it stands in the file.
struct Record {
    entries: u64,
    directory_size: u64,
    directory_at: u64,
    /// Its comment ends where the file does.
    is_last: bool,
}

impl Record {
    /// The record at `at` of the end of a file.
    fn read(tail: &[u8], at: usize) -> Option<Self> {
        let comment = usize::try_from(number::<2>(tail, at + 20)?).ok()?;
        Some(Self {
            entries: number::<2>(tail, at + 10)?,
            directory_size: number::<4>(tail, at + 12)?,
            directory_at: number::<4>(tail, at + 16)?,
            is_last: at + END_LENGTH + comment == tail.len(),
        })
    }
}

fn bomb(detail: String) -> Stop {
    Stop::Refused(RejectionCode::ArchiveBomb, detail)
}

/// The end record: the last one that ends where the file does, or else the last one that fits.
fn find_end(file: &Sparse) -> Result<Option<End>, Missing> {
    let size = file.size();
    let tail_at = size.saturating_sub(TAIL);
    let tail = file.bytes(tail_at..size)?;
    let mut records = memmem::rfind_iter(&tail, END).filter_map(|at| Some((at, Record::read(&tail, at)?)));
    let Some(last) = records.next() else { return Ok(None) };
    // Programs go by the one or by the other: a record in another's comment.
    let another = records.find(|(_, record)| record.is_last);
    let mut ambiguous = another.is_some();
    let (at, record) = another.filter(|_| !last.1.is_last).unwrap_or(last);
    let at_in_file = tail_at + at as u64;
    let size = record.directory_size;
    if locator_64(file, at_in_file)?.is_some() {
        // Which of the two a program goes by, and whether it follows the locator or looks before it, is its own matter.
        let large = find_end_64(file, at_in_file, &record)?;
        return Ok(Some(
            large.map_or(End::CONTRADICTORY, |large| End { ambiguous: large.ambiguous || ambiguous, ..large }),
        ));
    }
    let Some(directory_at) = at_in_file.checked_sub(size) else { return Ok(None) };
    // What is put before an archive moves its directory away from where the record says, and it opens all the same. But there must not
    // be another directory there.
    ambiguous |= size > 0 && directory_at != record.directory_at && begins_entry(file, Some(record.directory_at))?;
    Ok(Some(End { entries: record.entries, directory_at, directory_size: size, ambiguous }))
}

/// The end record of a large archive, which a locator right before `small`, the one at `end_at`, points at; `None` when it is not right
/// before the locator.
fn find_end_64(file: &Sparse, end_at: u64, small: &Record) -> Result<Option<End>, Missing> {
    let Some(locator) = locator_64(file, end_at)? else { return Ok(None) };
    let locator_at = end_at - LOCATOR_64_LENGTH;
    let Some(at) = number::<8>(&locator, 8).filter(|at| at.saturating_add(END_64_LENGTH) <= locator_at) else {
        return Ok(None);
    };
    let record = file.bytes(at..at + END_64_LENGTH)?;
    let field = |from| number::<8>(&record, from);
    let (Some(length), Some(entries), Some(size), Some(said)) = (field(4), field(32), field(40), field(48)) else {
        return Ok(None);
    };
    // Its length does not count itself and what is before it.
    if !record.starts_with(END_64) || at.saturating_add(12).saturating_add(length) != locator_at {
        return Ok(None);
    }
    let same = |number: u64, large: u64, most: u64| number == large || number == most;
    let agree = same(small.entries, entries, 0xFFFF)
        && same(small.directory_size, size, 0xFFFF_FFFF)
        && same(small.directory_at, said, 0xFFFF_FFFF);
    // Counts are judged before the directory is looked at, so one that cannot be there still has a count.
    let directory_at = at.saturating_sub(size);
    let another = size > 0 && said != directory_at && begins_entry(file, Some(said))?;
    Ok(Some(End { entries, directory_at, directory_size: size, ambiguous: another || !agree }))
}

/// What is right before an end record, where it is the locator of another one.
fn locator_64(file: &Sparse, end_at: u64) -> Result<Option<Vec<u8>>, Missing> {
    let Some(at) = end_at.checked_sub(LOCATOR_64_LENGTH) else { return Ok(None) };
    let locator = file.bytes(at..end_at)?;
    Ok(locator.starts_with(LOCATOR_64).then_some(locator))
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
        sum.macros = sum.macros.max(entry.macros);
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
    macros: Macros,
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
        let written = bytes.get(ENTRY_LENGTH..ENTRY_LENGTH + name)?;
        let (is_manifest, macros) = (written.eq_ignore_ascii_case(MANIFEST), Macros::of(written));
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
        Some(Self { packed, unpacked, encrypted, is_manifest, macros, length: end })
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
        match look(&file(bytes), &policy) {
            Ok(_) => None,
            Err(Stop::Refused(code, _)) => Some(code),
            Err(Stop::Missing(missing)) => panic!("{missing:?}"),
        }
    }

    #[test]
    fn an_honest_archive_says_what_it_holds() {
        let bytes = zip(&[entry(10, 1000, 0), entry(5, 5, 0)]);
        let inside = look(&file(&bytes), &InspectPolicy::default()).unwrap();
        let expected = Inside { entries: Some(2), unpacked_size: Some(1005), macros: Some(false), encrypted: false };
        assert_eq!(inside, expected);
        let moved = [b"#!something before it", &bytes[..]].concat();
        assert_eq!(look(&file(&moved), &InspectPolicy::default()).unwrap(), inside);
        let empty = zip(&[]);
        assert_eq!(look(&file(&empty), &InspectPolicy::default()).unwrap().entries, Some(0));
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
    fn an_archive_that_is_another_one_to_other_programs_is_refused() {
        let directory = entry(1, 1, 0);
        let inner = end(1, &directory, b"");
        let in_its_comment = [&directory[..], &inner[..], &end(1, &directory, &inner)].concat();
        assert_eq!(code(&in_its_comment, InspectLimits::default()), Some(RejectionCode::Polyglot));
        let mut longer = in_its_comment.clone();
        longer.extend(b"!");
        longer[directory.len() + inner.len() + 20] += 1;
        assert_eq!(code(&longer, InspectLimits::default()), Some(RejectionCode::Polyglot));
        let mut two_directories = [&b"PK"[..], &directory, b"and", &directory, &end(1, &directory, b"")].concat();
        let offset_at = two_directories.len() - 6;
        two_directories[offset_at] = 2;
        assert_eq!(code(&two_directories, InspectLimits::default()), Some(RejectionCode::Polyglot));
        // Where a large archive's directory is, its record says, and programs look right before the record.
        let large = |first: &[u8], at: u64| {
            let directories = [first, &directory[..]].concat();
            let record_at = directories.len() as u64;
            let mut bytes = [&directories[..], END_64, &44_u64.to_le_bytes(), &[45, 0, 45, 0], &[0; 8]].concat();
            for number in [1, 1, directory.len() as u64, at] {
                bytes.extend(number.to_le_bytes());
            }
            let locator = [LOCATOR_64, &[0; 4], &record_at.to_le_bytes(), &[1, 0, 0, 0]].concat();
            let mut end = end(0xFFFF, b"", b"");
            end[12..20].fill(0xFF);
            [bytes, locator, end].concat()
        };
        let first = directory.len() as u64;
        assert_eq!(code(&large(&[], 0), InspectLimits::default()), None);
        assert_eq!(code(&large(&directory, first), InspectLimits::default()), None);
        assert_eq!(code(&large(&directory, 0), InspectLimits::default()), Some(RejectionCode::Polyglot));
        let mut astray = large(&[], 0);
        let locator_at = astray.len() - END_LENGTH - 20;
        astray[locator_at + 8] += 1;
        assert_eq!(code(&astray, InspectLimits::default()), Some(RejectionCode::Polyglot));
        // An archive that holds another one as it is has two end records as well, and is one archive to everybody.
        let nested = zip(&[entry(1, 1, 0)]);
        let holding = [b"PK\x03\x04", &nested[..], &directory, &end(1, &directory, b"a comment")].concat();
        assert_eq!(code(&holding, InspectLimits::default()), None);
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
        let inside = look(&file(&bytes), &policy).unwrap();
        assert_eq!((inside.entries, inside.encrypted), (Some(2), true));
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
        let found = |bytes: &[u8]| end_record(&file(bytes)).unwrap();
        let picture = &b"\xFF\xD8 a picture"[..];
        assert_eq!(found(&[picture, &archive].concat()), Some(EndRecord::Last));
        assert_eq!(found(&[picture, &archive, b"and something behind it"].concat()), Some(EndRecord::Inside));
        assert_eq!(found(&[picture, &archive, &archive].concat()), Some(EndRecord::Last));
        let lying = [&entry(1, 1, 0)[..], &end(0, &entry(1, 1, 0), b"")].concat();
        assert_eq!(found(&[b"%PDF a page", &lying[..], b"\n"].concat()), Some(EndRecord::Inside), "its count lies");
        let large = [b"%PDF a page ", LOCATOR_64, &[0; 16][..], &end(0xFFFF, b"", b"")].concat();
        assert_eq!(found(&large), Some(EndRecord::Last), "a large archive");
        let mut elsewhere =
            [picture, &entry(1, 1, 0), b"not where its length says", &end(1, &entry(1, 1, 0), b"")].concat();
        let offset_at = elsewhere.len() - 6;
        elsewhere[offset_at] = u8::try_from(picture.len()).unwrap();
        assert_eq!(found(&elsewhere), Some(EndRecord::Last), "a directory where its record says");
        assert_eq!(found(b"the four letters PK\x05\x06 alone, with whatever follows them in a text"), None);
        assert_eq!(found(&zip(&[])), None, "an empty archive holds nothing");
        assert_eq!(found(b""), None);
    }
}
