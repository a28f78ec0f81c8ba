//! Looks into containers by ranges, without unpacking anything: what would an archive unpack to, is it encrypted, and is a file of
//! another type an archive besides?

mod cfb;
mod macros;
mod pdf;
mod zip;

use vestibule_domain::content_type::ContentType;
use vestibule_domain::policy::{EncryptedFiles, InspectPolicy};
use vestibule_domain::rejection::RejectionCode;

use self::zip::EndRecord;
use crate::sniff::ZIP_ENTRY;
use crate::sparse::Sparse;
use crate::stop::Stop;

/// Longest directory of a zip archive that is read, in bytes. Ten thousand entries take one or two million.
pub(crate) const MAX_DIRECTORY_BYTES: u64 = 8 * 1024 * 1024;

/// What was found inside.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Inside {
    /// Entries of an archive.
    pub(crate) entries: Option<u64>,
    /// Bytes that it unpacks to, by its own word.
    pub(crate) unpacked_size: Option<u64>,
    /// Whether a document holds programs of its own; `None` where that is unclear too.
    pub(crate) macros: Option<bool>,
    /// Whether a password is needed for it, or for a part of it.
    pub(crate) encrypted: bool,
}

/// Looks into a file of type `kept`.
pub(crate) fn look(file: &Sparse, kept: &ContentType, policy: &InspectPolicy) -> Result<Inside, Stop> {
    // Whatever its entries make of it.
    if file.head().starts_with(ZIP_ENTRY) || kept.as_str() == "application/zip" {
        let inside = zip::look(file, policy)?;
        return Ok(Inside { macros: inside.macros.filter(|_| holds_documents(kept)), ..inside });
    }
    match zip::end_record(file)? {
        // Of what is not known, an archive is all that it is.
        Some(EndRecord::Last) if *kept == ContentType::octet_stream() => {
            return Ok(Inside { macros: None, ..zip::look(file, policy)? });
        }
        Some(EndRecord::Last) => return Err(also_an_archive()),
        Some(EndRecord::Inside) if holds_no_archive(kept) => return Err(also_an_archive()),
        // Something else that holds an archive near its end, or an archive with a byte too many.
        Some(EndRecord::Inside) if *kept == ContentType::octet_stream() => {
            return harmless_inside(zip::look(file, policy));
        }
        Some(EndRecord::Inside) | None => {}
    }
    let inside = match kept.as_str() {
        "application/pdf" => Inside { encrypted: pdf::is_encrypted(file)?, ..Inside::default() },
        _ if file.head().starts_with(cfb::SIGNATURE) => cfb::look(file, kept)?,
        _ => Inside::default(),
    };
    if inside.encrypted {
        refuse_encrypted(policy)?;
    }
    Ok(inside)
}

/// Whether an archive of this type is an office document.
fn holds_documents(kept: &ContentType) -> bool {
    const FAMILIES: [&str; 6] = [
        "application/vnd.openxmlformats-officedocument.",
        "application/vnd.oasis.opendocument.",
        "application/vnd.sun.xml.",
        "application/vnd.ms-word.",
        "application/vnd.ms-excel.",
        "application/vnd.ms-powerpoint.",
    ];
    FAMILIES.iter().any(|family| kept.as_str().starts_with(family))
}

/// What an archive inside something else says of it: only whether it would do harm if it were unpacked.
fn harmless_inside(looked: Result<Inside, Stop>) -> Result<Inside, Stop> {
    match looked {
        Err(Stop::Refused(code, _)) if !matches!(code, RejectionCode::ArchiveBomb | RejectionCode::TypeNotAllowed) => {
            Ok(Inside::default())
        }
        Err(stop) => Err(stop),
        Ok(_) => Ok(Inside::default()),
    }
}

fn also_an_archive() -> Stop {
    Stop::refused(RejectionCode::Polyglot, "a zip archive's end record at its end")
}

/// Types whose files have no archive inside. A mail, a tape archive or a disk image may, right before its own end.
fn holds_no_archive(kept: &ContentType) -> bool {
    let kind = kept.as_str().split('/').next().unwrap_or_default();
    kept.is_text()
        || matches!(kind, "image" | "audio" | "video" | "font")
        || matches!(kept.as_str(), "application/pdf" | "application/rtf")
}

/// Refuses an encrypted file where the policy says so.
pub(crate) fn refuse_encrypted(policy: &InspectPolicy) -> Result<(), Stop> {
    match policy.encrypted {
        EncryptedFiles::Accept => Ok(()),
        EncryptedFiles::Refuse => Err(Stop::refused(RejectionCode::Encrypted, "encrypted")),
    }
}

/// A number of `N` bytes at `at`, least significant byte first; `None` when it is not there.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let mut number = [0; 8];
    number.get_mut(..N)?.copy_from_slice(bytes.get(at..at.checked_add(N)?)?);
    Some(u64::from_le_bytes(number))
}
