//! EBML: identifiers, lengths, and what is in an element. <https://www.rfc-editor.org/rfc/rfc8794>

use super::super::fields::Fields;

/// Most bytes of an element's identifier and length.
pub(super) const MAX_HEADER_BYTES: u64 = 12;

/// Identifiers, with the bits that say how long they are.
pub(super) mod id {
    pub(in super::super) const SEGMENT: u32 = 0x1853_8067;
    pub(in super::super) const SEEK_HEAD: u32 = 0x114D_9B74;
    pub(in super::super) const SEEK: u32 = 0x4DBB;
    pub(in super::super) const SEEK_ID: u32 = 0x53AB;
    pub(in super::super) const SEEK_POSITION: u32 = 0x53AC;
    pub(in super::super) const INFO: u32 = 0x1549_A966;
    pub(in super::super) const TIMESTAMP_SCALE: u32 = 0x002A_D7B1;
    pub(in super::super) const DURATION: u32 = 0x4489;
    pub(in super::super) const CLUSTER: u32 = 0x1F43_B675;
    pub(in super::super) const TIMESTAMP: u32 = 0xE7;
    pub(in super::super) const SIMPLE_BLOCK: u32 = 0xA3;
    pub(in super::super) const BLOCK_GROUP: u32 = 0xA0;
    pub(in super::super) const BLOCK: u32 = 0xA1;
    pub(in super::super) const BLOCK_DURATION: u32 = 0x9B;
    pub(in super::super) const TRACKS: u32 = 0x1654_AE6B;
    pub(in super::super) const TRACK_ENTRY: u32 = 0xAE;
    pub(in super::super) const TRACK_NUMBER: u32 = 0xD7;
    pub(in super::super) const TRACK_TYPE: u32 = 0x83;
    pub(in super::super) const DEFAULT_DURATION: u32 = 0x0023_E383;
    pub(in super::super) const CODEC_ID: u32 = 0x86;
    pub(in super::super) const CODEC_PRIVATE: u32 = 0x63A2;
    pub(in super::super) const VIDEO: u32 = 0xE0;
    pub(in super::super) const PIXEL_WIDTH: u32 = 0xB0;
    pub(in super::super) const PIXEL_HEIGHT: u32 = 0xBA;
    pub(in super::super) const DISPLAY_WIDTH: u32 = 0x54B0;
    pub(in super::super) const DISPLAY_HEIGHT: u32 = 0x54BA;
    pub(in super::super) const DISPLAY_UNIT: u32 = 0x54B2;
}

/// An element's identifier, the bytes of both, and its length; `None` for a length that nobody knew when it was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Element {
    /// Its identifier.
    pub(super) id: u32,
    /// The bytes of both.
    pub(super) header_bytes: usize,
    /// The bytes behind these.
    pub(super) length: Option<u64>,
}

/// The element that `bytes` begin with; `None` where there is none.
pub(super) fn element(bytes: &[u8]) -> Option<Element> {
    let mut fields = Fields(bytes);
    let first = fields.u8()?;
    let more = first.leading_zeros();
    if more > 3 {
        return None;
    }
    let id = fields.take(usize::try_from(more).ok()?)?.iter().fold(first.into(), |id, byte| id << 8 | u32::from(*byte));
    let first = fields.u8()?;
    let more = first.leading_zeros();
    let value = u64::from(first) & (0x7F_u64.checked_shr(more)?);
    let length =
        fields.take(usize::try_from(more).ok()?)?.iter().fold(value, |length, byte| length << 8 | u64::from(*byte));
    let unknown = (1_u64 << (7 * (more + 1))) - 1;
    let header_bytes = bytes.len() - fields.0.len();
    (more < 8).then_some(Element { id, header_bytes, length: Some(length).filter(|length| *length != unknown) })
}

/// The elements in `bytes`. It ends where something is none.
pub(super) fn children(mut bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    std::iter::from_fn(move || {
        let Element { id, header_bytes, length } = element(bytes)?;
        let (_, rest) = bytes.split_at_checked(header_bytes)?;
        let length = length.map_or(Some(rest.len()), |length| usize::try_from(length).ok())?;
        let (body, rest) = rest.split_at_checked(length)?;
        bytes = rest;
        Some((id, body))
    })
}

/// What is in the first element of that identifier in `bytes`.
pub(super) fn child(bytes: &[u8], id: u32) -> Option<&[u8]> {
    children(bytes).find(|(found, _)| *found == id).map(|(_, body)| body)
}

/// An unsigned integer of up to eight bytes.
pub(super) fn number(body: &[u8]) -> Option<u64> {
    (body.len() <= 8).then(|| body.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
