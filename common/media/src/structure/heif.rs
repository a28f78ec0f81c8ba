//! HEIC and AVIF: boxes up to the last one, and whether the bytes of the picture lie inside the file. The decoders would decode what there is.

use std::time::Duration;

use vestibule_domain::policy::InspectLimits;

use super::{Structure, is_box, no_half_header, take};
use crate::boxes::{self, Part};
use crate::heif::fields::{find, long, number, version_and_flags};
use crate::limits::check_frames;
use crate::trouble::Trouble;

/// Walks the boxes, and counts the frames of a sequence.
pub(super) fn walk(bytes: &[u8], limits: &InspectLimits) -> Result<Structure, Trouble> {
    let mut rest = bytes;
    let (mut meta, mut film) = (None, None);
    while is_box(rest) {
        match boxes::next(&mut rest)? {
            Some(Part { name, body }) if &name == b"meta" => meta = meta.or(Some(body)),
            Some(Part { name, body }) if &name == b"moov" => film = film.or(Some(body)),
            Some(_) | None => {}
        }
    }
    no_half_header(rest)?;
    match (meta, film) {
        (Some(meta), _) => match crate::heif::read(bytes, meta, limits) {
            // `open` says so as well; what is behind the end is looked at all the same.
            Ok(_) | Err(Trouble::Unsupported(_)) => {}
            Err(trouble) => return Err(trouble),
        },
        (None, Some(_)) => {}
        (None, None) => return Err(Trouble::damaged("a HEIF file without a picture")),
    }
    let sequence = film.map_or_else(|| Ok(Structure::default()), sequence)?;
    check_frames(sequence.frames, limits)?;
    Ok(sequence.ended(bytes, rest))
}

/// The pictures of the first track that is a sequence of such, and how long they take. ISO/IEC 14496-12, 8.4.2 and 8.7.3.
fn sequence(mut film: &[u8]) -> Result<Structure, Trouble> {
    while let Some(Part { name, body }) = boxes::next(&mut film)? {
        if &name == b"trak"
            && let Some(sequence) = sequence_of_track(body)?
        {
            return Ok(sequence);
        }
    }
    Ok(Structure::default())
}

fn sequence_of_track(track: &[u8]) -> Result<Option<Structure>, Trouble> {
    let Some(media) = find(track, *b"mdia")? else { return Ok(None) };
    // Behind its version and four bytes: `pict`, or `auxv` for an alpha.
    let handler = find(media, *b"hdlr")?.and_then(|handler| handler.get(8..12));
    if handler != Some(b"pict") {
        return Ok(None);
    }
    let mut place = Some(media);
    for name in [*b"minf", *b"stbl", *b"stsz"] {
        place = place.map_or(Ok(None), |place| find(place, name))?;
    }
    let Some(mut sizes) = place else { return Ok(None) };
    version_and_flags(&mut sizes)?;
    take(&mut sizes, 4)?;
    let frames = long(&mut sizes)?;
    let duration = find(media, *b"mdhd")?.map_or(Ok(Duration::ZERO), duration)?;
    Ok(Some(Structure { frames, duration, ..Structure::default() }))
}

/// What a track's header says of its length. A number of all ones says that nobody knows.
fn duration(mut header: &[u8]) -> Result<Duration, Trouble> {
    let (version, _) = version_and_flags(&mut header)?;
    let bytes = if version == 1 { 8 } else { 4 };
    take(&mut header, 2 * usize::from(bytes))?;
    let scale = long(&mut header)?;
    let units = number(&mut header, bytes)?;
    let is_known = scale > 0 && units != if version == 1 { u64::MAX } else { u32::MAX.into() };
    let millis = u128::from(units) * 1000 / u128::from(scale.max(1));
    Ok(if is_known { Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)) } else { Duration::ZERO })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boxes::tests::part;
    use crate::heif::tests::photo;

    #[test]
    fn every_cut_is_noticed() {
        let limits = InspectLimits::default();
        let whole = photo(64, 48);
        assert_eq!(walk(&whole, &limits).unwrap().end, Some(whole.len()));
        for end in 0..whole.len() {
            assert!(matches!(walk(&whole[..end], &limits), Err(Trouble::Damaged(_))), "{end}");
        }
    }

    #[test]
    fn what_is_behind_the_last_box_is_behind_the_end() {
        let limits = InspectLimits::default();
        let whole = photo(64, 48);
        let end = Some(whole.len());
        for behind in [&b"\0\0\0"[..], b"PK\x03\x04\x14\0\0\0\x08\0", b"<script>alert(1)</script>"] {
            assert_eq!(walk(&[&whole, behind].concat(), &limits).unwrap().end, end, "{behind:?}");
        }
        // Further boxes, such as a phone's film, are part of the file.
        let with_film = [&whole[..], &part(b"mpvd", &[&b"film"[..]])].concat();
        assert_eq!(walk(&with_film, &limits).unwrap().end, Some(with_film.len()));
    }

    #[test]
    fn frames_of_a_sequence_are_counted_up_to_the_limit_inclusive() {
        let sequence = |handler: &[u8; 4], frames: u8| {
            let sizes = part(b"stsz", &[&[0; 8][..], &[0, 0, 0, frames]]);
            let table = part(b"minf", &[&part(b"stbl", &[&sizes])]);
            let handler = part(b"hdlr", &[&[0; 8][..], handler, &[0; 13]]);
            // Three seconds and a half, in units of a hundredth.
            let header = part(b"mdhd", &[&[0; 12][..], &[0, 0, 0, 100], &[0, 0, 1, 94], &[0; 4]]);
            part(b"trak", &[&part(b"mdia", &[&header, &handler, &table])])
        };
        let film = part(b"moov", &[&sequence(b"auxv", 9), &sequence(b"pict", 3)]);
        let whole = [photo(64, 48), film].concat();
        let walk = |max_frames| walk(&whole, &InspectLimits { max_frames, ..InspectLimits::default() });
        assert_eq!(walk(3).map(|found| (found.frames, found.duration.as_millis())), Ok((3, 3500)));
        assert_eq!(walk(2), Err(Trouble::TooManyFrames(2)));
    }
}
