//! MP4: what its movie box says of the whole, and of the first track of sound (ISO 14496-12 and -14).

use std::ops::Range;

use super::{Said, aac, be, bytes, millis};
use crate::sparse::{Missing, Sparse};

/// Most boxes of one level that are passed over.
const MAX_BOXES: u32 = 256;
/// Longest box that is read, in bytes, without its header.
const MAX_READ: u64 = 512;
/// Box headers are no longer than this, in bytes.
const LONG_HEADER: u64 = 16;

/// A box: its name, and where its content is.
struct Box4 {
    name: [u8; 4],
    content: Range<u64>,
}

/// Reads it.
pub(super) fn read(file: &Sparse) -> Result<Said, Missing> {
    let Some(movie) = find(file, &(0..file.size()), *b"moov")? else { return Ok(Said::default()) };
    let header = match find(file, &movie, *b"mvhd")? {
        Some(header) => content(file, &header)?,
        None => Vec::new(),
    };
    let codec = match sound_track(file, &movie)? {
        Some(table) => sample_entry(file, &table)?,
        None => None,
    };
    let fragmented = match find(file, &movie, *b"mvex")? {
        Some(fragments) => find(file, &fragments, *b"mehd")?,
        None => None,
    };
    let fragments = fragmented.map(|header| content(file, &header)).transpose()?;
    let (length, timescale) = times(&header).unwrap_or_default();
    let whole = fragments.as_deref().and_then(fragment_length).unwrap_or_default();
    Ok(Said { duration_millis: millis(length.max(whole), timescale), codec })
}

/// The length and the units a second in a movie's header. All bits set mean that it is not known.
fn times(header: &[u8]) -> Option<(u64, u64)> {
    let (length, timescale) = match header.first()? {
        1 => (be::<8>(header, 24).filter(|length| *length != u64::MAX)?, be::<4>(header, 20)?),
        _ => (be::<4>(header, 16).filter(|length| *length != u64::from(u32::MAX))?, be::<4>(header, 12)?),
    };
    Some((length, timescale))
}

fn fragment_length(header: &[u8]) -> Option<u64> {
    match header.first()? {
        1 => be::<8>(header, 4),
        _ => be::<4>(header, 4),
    }
}

/// The table of samples of the first track whose handler is that of sound.
fn sound_track(file: &Sparse, movie: &Range<u64>) -> Result<Option<Range<u64>>, Missing> {
    let mut rest = movie.clone();
    while let Some(track) = find(file, &rest, *b"trak")? {
        rest.start = track.end;
        let Some(media) = find(file, &track, *b"mdia")? else { continue };
        let Some(handler) = find(file, &media, *b"hdlr")? else { continue };
        if content(file, &handler)?.get(8..12) != Some(b"soun") {
            continue;
        }
        let Some(information) = find(file, &media, *b"minf")? else { continue };
        return find(file, &information, *b"stbl");
    }
    Ok(None)
}

/// The codec of a track, from the first description of its samples.
fn sample_entry(file: &Sparse, table: &Range<u64>) -> Result<Option<String>, Missing> {
    let Some(descriptions) = find(file, table, *b"stsd")? else { return Ok(None) };
    let Some(entry) = next(file, &(descriptions.start.saturating_add(8)..descriptions.end))? else { return Ok(None) };
    let codec = match &entry.name {
        // The descriptor is behind the fields of sound, of which QuickTime has more: it is looked for.
        b"mp4a" => object_of(&content(file, &entry.content)?),
        b"Opus" => "opus".to_owned(),
        b"fLaC" => "flac".to_owned(),
        b".mp3" => "mp3".to_owned(),
        b"sowt" | b"twos" | b"lpcm" | b"in24" | b"in32" | b"fl32" | b"fl64" | b"raw " => "pcm".to_owned(),
        name if name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-') => {
            String::from_utf8_lossy(name).into_owned()
        }
        _ => return Ok(None),
    };
    Ok(Some(codec))
}

/// `mp4a`, with the type of object and, for AAC, that of audio (RFC 6381, 3.3), as far as the descriptor has them.
fn object_of(entry: &[u8]) -> String {
    let descriptor = memchr::memmem::find(entry, b"esds").and_then(|at| entry.get(at + 8..));
    let Some((object, rest)) = descriptor.and_then(decoder_configuration) else { return "mp4a".to_owned() };
    match object {
        // MP3, as two generations of MPEG call it.
        0x69 | 0x6B => "mp3".to_owned(),
        0x40 => {
            let config = descriptors(rest).find(|(tag, _)| *tag == 5).map(|(_, config)| config);
            match config.and_then(aac::object_type) {
                Some(kind) => format!("mp4a.40.{kind}"),
                None => "mp4a.40".to_owned(),
            }
        }
        other => format!("mp4a.{other:02X}"),
    }
}

/// The type of object and the descriptors behind it.
fn decoder_configuration(elementary: &[u8]) -> Option<(u8, &[u8])> {
    let (_, stream) = descriptors(elementary).find(|(tag, _)| *tag == 3)?;
    let flags = *stream.get(2)?;
    // Of three fields it says whether they are there.
    let url = if flags & 0x40 == 0 { 0 } else { 1 + usize::from(*stream.get(3)?) };
    let skip = 3 + if flags & 0x80 == 0 { 0 } else { 2 } + url + if flags & 0x20 == 0 { 0 } else { 2 };
    let (_, configuration) = descriptors(stream.get(skip..)?).find(|(tag, _)| *tag == 4)?;
    Some((*configuration.first()?, configuration.get(13..)?))
}

/// Descriptors one after the other: a tag, a length of seven bits a byte, and the content.
fn descriptors(mut rest: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (tag, mut left) = rest.split_first()?;
        let mut length = 0;
        for _ in 0..4 {
            let (byte, behind) = left.split_first()?;
            left = behind;
            length = length << 7 | usize::from(byte & 0x7F);
            if byte & 0x80 == 0 {
                break;
            }
        }
        let (content, behind) = left.split_at_checked(length.min(left.len()))?;
        rest = behind;
        Some((*tag, content))
    })
}

/// The content of the first box of a name among those in `range`.
fn find(file: &Sparse, range: &Range<u64>, name: [u8; 4]) -> Result<Option<Range<u64>>, Missing> {
    let mut rest = range.clone();
    for _ in 0..MAX_BOXES {
        let Some(found) = next(file, &rest)? else { break };
        if found.name == name {
            return Ok(Some(found.content));
        }
        rest.start = found.content.end;
    }
    Ok(None)
}

/// The box at the beginning of `range`; `None` where there is none, or it is shorter than its own header.
fn next(file: &Sparse, range: &Range<u64>) -> Result<Option<Box4>, Missing> {
    if range.start.saturating_add(8) > range.end {
        return Ok(None);
    }
    let header = bytes(file, range.start, LONG_HEADER.min(range.end - range.start))?;
    let (Some(length), Some(name)) = (be::<4>(&header, 0), header.get(4..8).and_then(|name| name.first_chunk())) else {
        return Ok(None);
    };
    let (header_length, length) = match (length, be::<8>(&header, 8)) {
        (1, Some(length)) => (16, length),
        // It goes on to the end.
        (0, _) => (8, range.end - range.start),
        (length, _) => (8, length),
    };
    if length < header_length {
        return Ok(None);
    }
    let end = range.start.saturating_add(length).min(range.end);
    Ok(Some(Box4 { name: *name, content: range.start + header_length..end }))
}

/// The first bytes of a box's content.
fn content(file: &Sparse, range: &Range<u64>) -> Result<Vec<u8>, Missing> {
    bytes(file, range.start, range.end.saturating_sub(range.start).min(MAX_READ))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{beginning, whole};
    use super::*;
    use crate::probe::RANGE_BYTES;

    fn boxed(name: &[u8], content: &[&[u8]]) -> Vec<u8> {
        let content = content.concat();
        [&u32::try_from(content.len() + 8).unwrap().to_be_bytes()[..], name, &content].concat()
    }

    fn movie(length: u32, entry: &[u8]) -> Vec<u8> {
        let header = [&[0; 12][..], &1000_u32.to_be_bytes(), &length.to_be_bytes(), &[0; 80]].concat();
        let track = |handler: &[u8]| {
            let entries = boxed(b"stsd", &[&[0; 7], &[1], entry]);
            let media =
                [boxed(b"hdlr", &[&[0; 8], handler, &[0; 13]]), boxed(b"minf", &[&boxed(b"stbl", &[&entries])])];
            boxed(b"trak", &[&boxed(b"tkhd", &[&[0; 84]]), &boxed(b"mdia", &[&media.concat()])])
        };
        let tracks = [track(b"text"), track(b"soun")].concat();
        boxed(b"moov", &[&boxed(b"mvhd", &[&header]), &tracks])
    }

    /// AAC LC as it is described.
    fn aac() -> Vec<u8> {
        let config = b"\x05\x02\x12\x10";
        let decoder = [&b"\x04\x80\x80\x80\x11\x40\x15"[..], &[0; 11], config].concat();
        let stream = [&b"\x03\x19\0\x01\0"[..], &decoder, b"\x06\x01\x02"].concat();
        boxed(b"mp4a", &[&[0; 28], &boxed(b"esds", &[&[0; 4], &stream])])
    }

    fn said(duration_millis: u64, codec: &str) -> Said {
        Said { duration_millis: Some(duration_millis), codec: Some(codec.to_owned()) }
    }

    #[test]
    fn the_movie_box_says_it_wherever_it_is() {
        let first = [boxed(b"ftyp", &[b"M4A \0\0\0\0"]), movie(2500, &aac())].concat();
        assert_eq!(read(&whole(&first)), Ok(said(2500, "mp4a.40.2")));
        // Behind three hundred megabytes of sound: one range more.
        let mut head = boxed(b"ftyp", &[b"M4A \0\0\0\0"]);
        head.extend(b"\0\0\0\x01mdat\0\0\0\0\x12\0\0\0");
        head.resize(65_536, 0);
        let at = 16 + 0x1200_0000;
        let movie = movie(2500, &aac());
        let mut file = beginning(&head, at + movie.len() as u64);
        assert_eq!(read(&file), Err(Missing(at..at + movie.len() as u64)));
        assert!((movie.len() as u64) < RANGE_BYTES);
        file.supply(at, movie);
        assert_eq!(read(&file), Ok(said(2500, "mp4a.40.2")));
    }

    #[test]
    fn codecs_have_the_names_that_browsers_know() {
        for (entry, name) in
            [(b"Opus", "opus"), (b"fLaC", "flac"), (b"alac", "alac"), (b".mp3", "mp3"), (b"ac-3", "ac-3")]
        {
            assert_eq!(read(&whole(&movie(1, &boxed(entry, &[&[0; 28]])))), Ok(said(1, name)));
        }
        let unknown = read(&whole(&movie(1, &boxed(b"\0\xFF<>", &[&[0; 28]])))).unwrap();
        assert_eq!(unknown.codec, None);
        assert_eq!(read(&whole(&movie(1, &boxed(b"mp4a", &[&[0; 28]])))), Ok(said(1, "mp4a")));
    }

    #[test]
    fn every_cut_of_it_says_less_and_none_is_a_panic() {
        let all = movie(2500, &aac());
        for end in 0..all.len() {
            read(&whole(&all[..end])).unwrap();
        }
    }
}
