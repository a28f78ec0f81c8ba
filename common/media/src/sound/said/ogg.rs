//! Ogg: the first page says which codec, the last page of the same stream where it ends (RFC 3533). It need not begin at nothing, where it was
//! cut from a longer one, and others may follow on it, each with its own pages and clock.

use super::super::demux;
use super::{Said, be, bytes, flac, le, millis};
use crate::sparse::{Missing, Sparse};

/// Bytes of the beginning that are read: the first page is short.
const HEAD: u64 = 256;
/// Longest page, in bytes: the last begins no further from the end, if nothing follows it.
const PAGE: u64 = 65_307;
/// Most links of a chain that are added up.
const MAX_LINKS: usize = 256;

/// What the first packet of a stream says.
struct Stream {
    codec: &'static str,
    /// Units a second in which pages count where they end, and how many of those are not to be heard.
    rate: u64,
    unheard: u64,
    /// How long it is, where the first packet says that.
    duration_millis: Option<u64>,
}

/// Reads it.
pub(super) fn read(file: &Sparse) -> Result<Said, Missing> {
    let head = bytes(file, 0, HEAD)?;
    let stream = head.get(26).and_then(|lacing| head.get(27 + usize::from(*lacing)..)).and_then(stream);
    let Some(stream) = stream else { return Ok(Said::default()) };
    let counted = if let Some(whole) = file.whole() {
        links(whole)
            .and_then(|links| links.into_iter().try_fold(0_u64, |all, link| all.checked_add(link_millis(link)?)))
    } else {
        let tail = bytes(file, file.size().saturating_sub(PAGE), PAGE)?;
        let end = head.get(14..18).and_then(|serial| last_position(&tail, serial));
        let length = |end: u64| end.saturating_sub(stream.unheard).saturating_sub(demux::begins(file.head()));
        end.and_then(|end| millis(length(end), stream.rate))
    };
    Ok(Said { duration_millis: counted.or(stream.duration_millis), codec: Some(stream.codec.to_owned()) })
}

/// The links of a chain that is there in whole: each begins with pages that begin streams. Most files are one link. `None` for more than are
/// added up.
pub(in super::super) fn links(whole: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rest = whole;
    let links = std::iter::from_fn(move || {
        let (link, behind) = rest.split_at_checked(link_end(rest)).filter(|(link, _)| !link.is_empty())?;
        rest = behind;
        Some(link)
    });
    let links: Vec<_> = links.take(MAX_LINKS + 1).collect();
    (links.len() <= MAX_LINKS).then_some(links)
}

/// Where the first link ends: before the first page that begins a stream behind one that does not.
fn link_end(bytes: &[u8]) -> usize {
    const BEGINS: u8 = 2;
    let mut at = 0;
    let mut is_begun = false;
    while let Some(page) = bytes.get(at..).filter(|page| page.len() > 26) {
        let lacing = page.get(26).and_then(|count| page.get(27..27 + usize::from(*count)));
        let (true, Some(lacing)) = (page.starts_with(b"OggS"), lacing) else {
            // Something else is between the pages, or one was cut off.
            let next = page.get(1..).and_then(|behind| memchr::memmem::find(behind, b"OggS"));
            at += next.map_or(page.len(), |next| next + 1);
            continue;
        };
        let begins = page.get(5).is_some_and(|flags| flags & BEGINS != 0);
        if begins && is_begun {
            return at;
        }
        is_begun |= !begins;
        at += 27 + lacing.len() + lacing.iter().map(|length| usize::from(*length)).sum::<usize>();
    }
    bytes.len()
}

/// How long a link is.
fn link_millis(link: &[u8]) -> Option<u64> {
    let lacing = usize::from(*link.get(26)?);
    let stream = link.get(27 + lacing..).and_then(stream)?;
    let end = last_position(link, link.get(14..18)?)?.saturating_sub(stream.unheard);
    millis(end.saturating_sub(demux::begins(link)), stream.rate)
}

fn stream(packet: &[u8]) -> Option<Stream> {
    let plain = |codec, rate| Some(Stream { codec, rate, unheard: 0, duration_millis: None });
    if packet.starts_with(b"OpusHead") {
        // Opus counts in its own rate, whatever was taped. <https://www.rfc-editor.org/rfc/rfc7845#section-4>
        return Some(Stream { codec: "opus", rate: 48_000, unheard: le::<2>(packet, 10)?, duration_millis: None });
    }
    if packet.starts_with(b"\x01vorbis") {
        return plain("vorbis", le::<4>(packet, 12)?);
    }
    if packet.starts_with(b"\x7FFLAC") {
        let info = packet.get(17..)?;
        let duration_millis = flac::duration_millis(info);
        return Some(Stream { codec: "flac", rate: be::<3>(info, 10)? >> 4, unheard: 0, duration_millis });
    }
    if packet.starts_with(b"Speex   ") {
        return plain("speex", le::<4>(packet, 36)?);
    }
    None
}

/// Where the last page of a stream ends, as it counts.
fn last_position(tail: &[u8], serial: &[u8]) -> Option<u64> {
    let pages = memchr::memmem::rfind_iter(tail, b"OggS").filter_map(|at| tail.get(at..));
    let mut of_stream = pages.filter(|page| page.get(14..18) == Some(serial));
    // A page on which no packet ends has no position.
    of_stream.find_map(|page| le::<8>(page, 6).filter(|position| i64::try_from(*position).is_ok()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{beginning, whole};
    use super::*;

    fn page(serial: u32, position: u64, packet: &[u8]) -> Vec<u8> {
        let length = u8::try_from(packet.len()).unwrap();
        [b"OggS\0\0", &position.to_le_bytes()[..], &serial.to_le_bytes(), &[0; 8], &[1, length], packet].concat()
    }

    #[test]
    fn the_links_of_a_chain_are_added_up() {
        let link = |serial: u32, rate: u16, position: u64| {
            let [low, high] = rate.to_le_bytes();
            let mut first = page(serial, 0, &[b"\x01vorbis\0\0\0\0\x02", &[low, high][..], b"\0\0"].concat());
            first[5] = 2;
            [first, page(serial, position, b"a sound that says OggS")].concat()
        };
        let chain = [link(1, 44_100, 44_100), link(2, 8000, 24_000), b"junk".to_vec(), link(3, 8000, 4000)].concat();
        assert_eq!(links(&chain).unwrap().len(), 3);
        assert_eq!(read(&whole(&chain)).unwrap().duration_millis, Some(4500));
        // Streams beside each other are one link.
        let mut second = page(2, 0, b"another");
        second[5] = 2;
        let beside = link(1, 8000, 8000);
        let beside = [&beside[..46], &second, &beside[46..]].concat();
        assert_eq!(links(&beside).unwrap().len(), 1);
        assert_eq!(links(&link(1, 8000, 1).repeat(MAX_LINKS + 1)), None);
        // What has no position makes all of it unknown.
        let chain = [link(1, 44_100, 44_100), link(2, 8000, u64::MAX)].concat();
        assert_eq!(read(&whole(&chain)).unwrap().duration_millis, None);
        for end in 0..chain.len() {
            read(&whole(&chain[..end])).unwrap();
        }
    }

    #[test]
    fn the_last_page_of_the_first_stream_says_how_long_it_is() {
        let opus = page(7, 0, b"OpusHead\x01\x01\x38\x01\x80\xBB\0\0\0\0\0");
        let end = [page(7, 96_312, b"sound"), page(7, u64::MAX, b"half a packet"), page(8, 5, b"another")].concat();
        let said = |millis| Said { duration_millis: Some(millis), codec: Some("opus".to_owned()) };
        assert_eq!(read(&whole(&[&opus[..], &end].concat())), Ok(said(2000)));
        let mut long = beginning(&opus.repeat(10)[..300], 100_000_000);
        assert_eq!(read(&long), Err(Missing(100_000_000 - PAGE..100_000_000)));
        long.supply(100_000_000 - PAGE, [&vec![0; 65_307 - end.len()][..], &end].concat());
        assert_eq!(read(&long), Ok(said(2000)));
        let vorbis = page(7, 0, b"\x01vorbis\0\0\0\0\x02\x44\xAC\0\0");
        let said = read(&whole(&[vorbis, page(7, 44_100, b"sound")].concat())).unwrap();
        assert_eq!((said.duration_millis, said.codec.as_deref()), (Some(1000), Some("vorbis")));
    }
}
