//! The boxes that an ISO base media file is made of: a length, four characters, and what is in it (ISO 14496-12, 4.2).

use super::super::fields::Fields;

/// The first bytes of a box: its name, how long these are, and how long the box is with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BoxHeader {
    /// Four characters.
    pub(super) name: [u8; 4],
    /// 8, or 16 where the length has 64 bits.
    pub(super) header_bytes: u64,
    /// Its bytes with the header; `None` when it goes on to the end of what it is in.
    pub(super) bytes: Option<u64>,
}

/// Most bytes of a box's header.
pub(super) const MAX_HEADER_BYTES: u64 = 16;

/// The header at the beginning of `bytes`; `None` for what is none: too short, or shorter than itself.
pub(super) fn header(bytes: &[u8]) -> Option<BoxHeader> {
    let mut fields = Fields(bytes);
    let (length, name) = (fields.u32()?, fields.name()?);
    let (header_bytes, bytes) = match length {
        0 => (8, None),
        1 => (16, Some(fields.u64()?)),
        length => (8, Some(u64::from(length))),
    };
    Some(BoxHeader { name, header_bytes, bytes }).filter(|found| found.bytes.is_none_or(|bytes| bytes >= header_bytes))
}

/// The boxes in `bytes`, by name and content. It ends where something is no box, or goes beyond the end: `QuickTime` writes zeros behind the
/// last one, and readers have always been patient.
pub(super) fn children(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let BoxHeader { name, header_bytes, bytes: length } = header(bytes)?;
        let length = length.map_or(Some(bytes.len()), |length| usize::try_from(length).ok())?;
        let (this, rest) = bytes.split_at_checked(length)?;
        bytes = rest;
        Some((name, this.get(usize::try_from(header_bytes).ok()?..)?))
    })
}

/// The content of the first box of that name in `bytes`.
pub(super) fn child(bytes: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    children(bytes).find(|(found, _)| *found == name).map(|(_, body)| body)
}

/// The content of the box that is reached from `bytes` by these names, one in the other.
pub(super) fn descendant<'a>(bytes: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |inside, name| child(inside, **name))
}

/// A full box's version, its flags, and the fields behind them.
pub(super) fn versioned(body: &[u8]) -> Option<(u8, u32, Fields<'_>)> {
    let mut fields = Fields(body);
    let word = fields.u32()?;
    Some((u8::try_from(word >> 24).ok()?, word & 0x00FF_FFFF, fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_its_length_in_each_of_three_ways() {
        let found = |bytes: &[u8]| header(bytes).map(|found| (found.header_bytes, found.bytes));
        assert_eq!(found(b"\0\0\0\x10moov"), Some((8, Some(16))));
        assert_eq!(found(b"\0\0\0\0mdat"), Some((8, None)));
        assert_eq!(found(b"\0\0\0\x01mdat\0\0\0\x01\0\0\0\0"), Some((16, Some(1 << 32))));
        assert_eq!(found(b"\0\0\0\x07moov"), None);
        assert_eq!(found(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x0F"), None);
        assert_eq!(found(b"\0\0\0\x10moo"), None);
    }

    #[test]
    fn boxes_end_where_something_is_none() {
        let names = |bytes: &[u8]| children(bytes).map(|(name, body)| (name, body.len())).collect::<Vec<_>>();
        let two = b"\0\0\0\x09aaaa.\0\0\0\x08bbbb";
        assert_eq!(names(two), [(*b"aaaa", 1), (*b"bbbb", 0)]);
        assert_eq!(names(&[&two[..], b"\0\0\0\0"].concat()), [(*b"aaaa", 1), (*b"bbbb", 0)]);
        assert_eq!(names(&[&two[..], b"\0\0\0\x09cccc"].concat()).len(), 2);
        assert_eq!(names(b"\0\0\0\0last, to the end"), [(*b"last", 12)]);
        assert_eq!(descendant(b"\0\0\0\x11aaaa\0\0\0\x09bbbb!", &[b"aaaa", b"bbbb"]), Some(&b"!"[..]));
    }
}
