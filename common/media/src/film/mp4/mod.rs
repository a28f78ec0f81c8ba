//! MP4 and its relatives (MOV, 3GP, M4V, M4A): ISO 14496-12, and `QuickTime` before it.
//!
//! ```text
//! walk the boxes of the file ─▶ read moov ─▶ walk on (is all of it there?) ─▶ read a keyframe, or a few
//! ```

mod boxes;
mod fragment;
mod movie;
mod samples;

use std::ops::Range;

use image::metadata::Orientation;
use vestibule_domain::policy::InspectLimits;

use self::boxes::{BoxHeader, MAX_HEADER_BYTES};
use self::fragment::Part;
use self::movie::{Fragments, Media, Movie, Track};
use self::samples::Samples;
use super::fields::millis;
use super::poster::{self, Painting};
use super::reach::{self, Hops};
use super::{Film, codec};
use crate::orient;
use crate::sparse::{Missing, Sparse};
use crate::stop::Stop;
use crate::trouble::Trouble;

/// Longest `moov` that is read, in bytes. Two hours at 50 pictures a second take some six million.
pub(super) const MAX_MOOV_BYTES: u64 = 32 * 1024 * 1024;
/// Longest other box that is read: a fragment's `moof`, or an index.
const MAX_INDEX_BYTES: u64 = 1024 * 1024;
/// When the keyframes are looked for that a poster may be made of, in milliseconds: many films begin in black.
const POSTER_TIMES: [u64; poster::MAX_KEYFRAMES as usize] = [0, 1000, 4000, 16_000];

/// Boxes at the top of a file that are no junk behind its end.
const OF_A_FILM: &[&[u8; 4]] = &[b"moov", b"mdat", b"moof", b"sidx", b"mfra"];

/// A box at the top of a file.
#[derive(Debug)]
struct Top {
    name: [u8; 4],
    start: u64,
    body: Range<u64>,
}

/// Goes from box to box at the top of a file.
struct Walk<'a> {
    file: &'a Sparse,
    hops: Hops,
    at: u64,
    found_moov: bool,
}

/// What a walk comes to.
#[derive(Debug)]
enum Next {
    Top(Top),
    End,
    TooFar,
}

impl<'a> Walk<'a> {
    fn new(file: &'a Sparse) -> Self {
        Self { file, hops: Hops::new(file.size()), at: 0, found_moov: false }
    }

    /// The next box. What is no box, or goes beyond the file's end, is junk behind a whole film, and a film that was cut off otherwise.
    fn next(&mut self) -> Result<Next, Stop> {
        let (start, size) = (self.at, self.file.size());
        if start >= size {
            return Ok(Next::End);
        }
        if !self.hops.go(start) {
            return Ok(Next::TooFar);
        }
        let first = reach::read(self.file, start..start.saturating_add(MAX_HEADER_BYTES))?;
        let end_of = |found: &BoxHeader| found.bytes.map_or(Some(size), |bytes| start.checked_add(bytes));
        match boxes::header(&first).map(|found| (end_of(&found).filter(|end| *end <= size), found)) {
            Some((Some(end), BoxHeader { name, header_bytes, .. })) => {
                self.at = end;
                self.found_moov |= name == *b"moov";
                Ok(Next::Top(Top { name, start, body: start.saturating_add(header_bytes).min(end)..end }))
            }
            Some((None, found)) if OF_A_FILM.contains(&&found.name) => Err(cut_off()),
            Some((None, _)) | None if self.found_moov => Ok(Next::End),
            Some((None, _)) | None => Err(cut_off()),
        }
    }
}

fn cut_off() -> Stop {
    Trouble::damaged("MP4: it ends inside a box").into()
}

/// Looks into a film.
///
/// # Errors
/// What has to be read first; or that the film was cut off, or has no `moov`.
pub(super) fn look(file: &Sparse, max: &InspectLimits) -> Result<Film, Stop> {
    let mut walk = Walk::new(file);
    let place = loop {
        match walk.next()? {
            Next::Top(top) if top.name == *b"moov" => break top.body,
            Next::Top(_) => {}
            Next::End => return Err(Trouble::damaged("MP4: no moov").into()),
            Next::TooFar => return Ok(Film::unseen("MP4: moov is behind too many boxes")),
        }
    };
    if place.end - place.start > MAX_MOOV_BYTES {
        return Ok(Film::unseen("MP4: a moov that is too long"));
    }
    let moov = reach::read(file, place)?;
    let movie = movie::read(&moov);
    let mut pieces = Pieces::new(file, walk, &movie);
    let duration_millis = if let Some(fragments) = &movie.fragments {
        pieces.duration(fragments)?
    } else {
        while let Next::Top(_) = pieces.walk.next()? {}
        movie.duration_millis.or_else(|| longest(&movie))
    };
    let pictures = shown_track(&movie);
    let shown = match pictures {
        Some(track) => Some(pieces.poster(track, max)?),
        None => None,
    };
    let mut codecs = Vec::new();
    for track in pictures.into_iter().chain(&movie.tracks) {
        codec::add(&mut codecs, track.entry.codec.clone());
    }
    let size = pictures
        .and_then(|track| track.size.map(|(width, height)| orient::shown_size(width, height, track.orientation)));
    let rotation = pictures.and_then(|track| rotation(track.orientation));
    Ok(Film { duration_millis, size, rotation, codecs, shown, ..Film::default() })
}

/// The track whose pictures are shown: the first that is played, and the first of all where none is. `QuickTime` has tracks of stills for
/// chapters.
fn shown_track<'a, 'b>(movie: &'a Movie<'b>) -> Option<&'a Track<'b>> {
    let mut pictures = movie.tracks.iter().filter(|track| track.media == Media::Pictures);
    let first = pictures.clone().next();
    pictures.find(|track| track.enabled && track.entry.name != *b"jpeg").or(first)
}

fn longest(movie: &Movie<'_>) -> Option<u64> {
    movie.tracks.iter().filter_map(|track| track.duration_millis).max()
}

/// Degrees clockwise.
fn rotation(orientation: Orientation) -> Option<u16> {
    match orientation {
        Orientation::Rotate90 => Some(90),
        Orientation::Rotate180 => Some(180),
        Orientation::Rotate270 => Some(270),
        Orientation::NoTransforms
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => None,
    }
}

/// What of a film is outside its `moov`.
struct Pieces<'a, 'b> {
    file: &'a Sparse,
    walk: Walk<'a>,
    movie: &'a Movie<'b>,
    /// Whether the first samples are not in fragments, but are those of the `moov`'s tables.
    begins_in_tables: bool,
    /// What the first fragment says of the tracks, once the walk has come by it and until a keyframe is looked for in it.
    first: Option<Vec<Part>>,
}

impl<'a, 'b> Pieces<'a, 'b> {
    fn new(file: &'a Sparse, walk: Walk<'a>, movie: &'a Movie<'b>) -> Self {
        let mut tables = movie.tracks.iter().filter_map(Samples::of);
        let begins_in_tables = movie.fragments.is_some() && tables.any(|samples| samples.place(0).is_some());
        Self { file, walk, movie, begins_in_tables, first: None }
    }

    /// How long a film in fragments is: by its `moov`, its index, its last fragment, or all fragments, whichever there is. It begins with its
    /// first sample, whatever its clock says then.
    fn duration(&mut self, fragments: &Fragments) -> Result<Option<u64>, Stop> {
        let mut by_index = None;
        let mut reached_end = false;
        while self.first.is_none() {
            match self.walk.next()? {
                Next::Top(top) if top.name == *b"sidx" => by_index = by_index.or(self.by_index(&top)?),
                Next::Top(top) if top.name == *b"moof" => {
                    self.first = Some(self.parts(&top, fragments)?.unwrap_or_default());
                }
                Next::Top(_) => {}
                Next::End => {
                    reached_end = true;
                    break;
                }
                Next::TooFar => break,
            }
        }
        if reached_end {
            return Ok(self.movie.duration_millis.or_else(|| longest(self.movie)));
        }
        // An index is of fragments only, and some films begin before the first of them.
        if let Some(known) = fragments.duration_millis.or(by_index.filter(|_| !self.begins_in_tables)) {
            return Ok(Some(known));
        }
        match self.by_last(fragments)? {
            Some(known) => Ok(Some(known)),
            None => self.by_all(fragments),
        }
    }

    /// By an index, if that is of all of the film.
    fn by_index(&self, top: &Top) -> Result<Option<u64>, Stop> {
        let Some(body) = self.read(&top.body)? else { return Ok(None) };
        let index = fragment::index(&body, top.body.end);
        // Behind what is played there may be a second index, of up to some hundred kilobytes.
        let covers = |end: u64| self.file.size().saturating_sub(end) <= MAX_INDEX_BYTES.min(self.file.size() / 8);
        Ok(index.filter(|index| covers(index.end)).and_then(|index| millis(index.ticks, index.timescale)))
    }

    /// By the index at the end, which leads to the last fragment.
    fn by_last(&self, fragments: &Fragments) -> Result<Option<u64>, Stop> {
        let size = self.file.size();
        let last = self.file.bytes(size.saturating_sub(fragment::MFRO_BYTES)..size)?;
        let Some(start) = fragment::random_access_bytes(&last).and_then(|bytes| size.checked_sub(bytes)) else {
            return Ok(None);
        };
        let Some(index) = self.read(&(start..size))? else { return Ok(None) };
        let Some(at) = boxes::child(&index, *b"mfra").and_then(fragment::last_fragment) else { return Ok(None) };
        let first = reach::read(self.file, at..at.saturating_add(MAX_HEADER_BYTES))?;
        let moof = boxes::header(&first).filter(|found| found.name == *b"moof");
        let Some((header_bytes, bytes)) = moof.and_then(|found| Some((found.header_bytes, found.bytes?))) else {
            return Ok(None);
        };
        let body = at.saturating_add(header_bytes)..at.saturating_add(bytes).min(size);
        let Some(moof) = self.read(&body)? else { return Ok(None) };
        let ends = fragment::parts(&moof, at, &fragments.defaults);
        let ends = ends.iter().filter_map(|part| self.in_millis(part.track, part.begins?.saturating_add(part.ticks)));
        let Some(end) = ends.max() else { return Ok(None) };
        Ok(Some(end.saturating_sub(self.begins())))
    }

    /// When the film begins, in milliseconds of its fragments' clocks: what is cut from a stream goes on counting.
    fn begins(&self) -> u64 {
        let parts = self.first.iter().flatten().filter(|_| !self.begins_in_tables);
        let begins = parts.filter_map(|part| self.in_millis(part.track, part.begins.unwrap_or_default()));
        begins.min().unwrap_or_default()
    }

    /// By all fragments, if the walk comes to their end.
    fn by_all(&mut self, fragments: &Fragments) -> Result<Option<u64>, Stop> {
        let mut ends: Vec<(u32, u64)> = self.movie.tracks.iter().map(|track| (track.id, 0)).collect();
        let mut walk = Walk::new(self.file);
        loop {
            let top = match walk.next()? {
                Next::Top(top) if top.name == *b"moof" => top,
                Next::Top(_) => continue,
                Next::End => break,
                Next::TooFar => return Ok(None),
            };
            let Some(parts) = self.parts(&top, fragments)? else { return Ok(None) };
            for part in parts {
                if let Some((_, end)) = ends.iter_mut().find(|(track, _)| *track == part.track) {
                    *end = part.begins.unwrap_or(*end).saturating_add(part.ticks).max(*end);
                }
            }
        }
        let ends = ends.into_iter().filter_map(|(track, end)| self.in_millis(track, end));
        let begins = self.begins();
        Ok(ends.max().map(|end| end.saturating_sub(begins)).filter(|length| *length > 0))
    }

    fn in_millis(&self, track: u32, ticks: u64) -> Option<u64> {
        let track = self.movie.tracks.iter().find(|of| of.id == track)?;
        millis(ticks, track.timescale)
    }

    /// What a fragment says of the tracks; `None` when it is longer than fragments are.
    fn parts(&self, top: &Top, fragments: &Fragments) -> Result<Option<Vec<Part>>, Missing> {
        let moof = self.read(&top.body)?;
        Ok(moof.map(|moof| fragment::parts(&moof, top.start, &fragments.defaults)))
    }

    /// The content of a box that is no `moov`; `None` when it is longer than such boxes are.
    fn read(&self, body: &Range<u64>) -> Result<Option<Vec<u8>>, Missing> {
        if body.end.saturating_sub(body.start) > MAX_INDEX_BYTES {
            return Ok(None);
        }
        reach::read(self.file, body.clone()).map(Some)
    }

    /// The poster of a track, or why there is none.
    fn poster(&mut self, track: &Track<'_>, max: &InspectLimits) -> Result<poster::Made, Stop> {
        let configuration = match &track.entry.name {
            b"avc1" | b"avc3" => boxes::child(track.entry.boxes, *b"avcC"),
            _ => None,
        };
        let (Some(configuration), Some(size)) = (configuration, track.size) else {
            let codec = track.entry.codec.as_deref().unwrap_or("unknown");
            return Ok(Err(Trouble::Unsupported(format!("pictures of {codec}"))));
        };
        let painting = Painting {
            configuration,
            colours: boxes::child(track.entry.boxes, *b"colr"),
            size,
            orientation: track.orientation,
        };
        let samples = Samples::of(track);
        let keyframes = samples.iter().flat_map(|samples| samples.keyframes_from(&POSTER_TIMES));
        let mut places =
            keyframes.filter_map(|keyframe| samples.as_ref()?.place(keyframe)).collect::<Vec<_>>().into_iter();
        // A film in fragments may begin in the tables, and all keyframes may be there.
        poster::paint(self.file, &painting, max, || match places.next() {
            Some(place) => Ok(Some(place)),
            None => self.next_keyframe(track.id),
        })
    }

    /// The keyframe that begins the next fragment; `None` for a film that has no more of them, or none.
    fn next_keyframe(&mut self, track: u32) -> Result<Option<Range<u64>>, Stop> {
        let Some(fragments) = &self.movie.fragments else { return Ok(None) };
        let keyframe =
            |parts: &[Part]| parts.iter().filter(|part| part.track == track).find_map(|part| part.keyframe.clone());
        if let Some(first) = self.first.take().as_deref().and_then(keyframe) {
            return Ok(Some(first));
        }
        loop {
            let top = match self.walk.next()? {
                Next::Top(top) if top.name == *b"moof" => top,
                Next::Top(_) => continue,
                Next::End | Next::TooFar => return Ok(None),
            };
            if let Some(keyframe) = self.parts(&top, fragments)?.as_deref().and_then(keyframe) {
                return Ok(Some(keyframe));
            }
        }
    }
}
