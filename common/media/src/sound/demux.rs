//! The packets of a sound that is in memory, one after the other.

use std::io::Cursor;

use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_AAC;
use symphonia::core::errors::{Error, Result};
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions, ReadOnlySource};
use symphonia::core::packet::Packet;
use symphonia::core::units::TimeBase;
#[cfg(feature = "video")]
use symphonia::default::formats::MkvReader;
use symphonia::default::formats::{AdtsReader, AiffReader, FlacReader, IsoMp4Reader, MpaReader, OggReader, WavReader};

use super::{Container, said};
use crate::guarded::unless_it_unwinds;

/// Most packets that are read. A day of Opus has four million; a megabyte of nothing but packets' lengths has as many.
const MAX_PACKETS: u64 = 2_000_000;
/// Most places that a demultiplexer stumbles over before the rest is given up.
const MAX_STUMBLES: u32 = 100;

/// The packets of a file's first track of sound.
pub(super) struct Packets<'a> {
    reader: Box<dyn FormatReader + 'a>,
    track: u32,
    /// What the decoder must know.
    pub(super) parameters: AudioCodecParameters,
    /// How long a tick is, in which packets' durations are counted.
    pub(super) tick: TimeBase,
    /// How many packets more are read, and how many of their bytes.
    more: u64,
    more_bytes: u64,
    /// Places stumbled over.
    stumbles: u32,
    /// Whether a packet lasts until the next begins: blocks of Matroska say when they begin, and seldom how long they last.
    until_next: bool,
    /// The packet behind the one that was given, where that had to be known.
    ahead: Option<Packet>,
}

impl<'a> Packets<'a> {
    /// Opens a file; `None` where it has no track of sound, or its headers make no sense.
    pub(super) fn open(container: Container, bytes: &'a [u8]) -> Option<Self> {
        let reader = reader(container, bytes).ok()?;
        let track = reader.default_track(TrackType::Audio)?;
        let mut parameters = track.codec_params.as_ref()?.audio()?.clone();
        if parameters.codec == CODEC_ID_AAC {
            parameters.extra_data = parameters.extra_data.map(|config| said::core_of(&config).unwrap_or(config));
        }
        let tick = track.time_base.or_else(|| TimeBase::try_from_recip(parameters.sample_rate?))?;
        // The tables of an MP4 may name the same bytes again and again.
        let more_bytes = 2 * bytes.len() as u64;
        let track = track.id;
        #[cfg(feature = "video")]
        let until_next = container == Container::Matroska;
        #[cfg(not(feature = "video"))]
        let until_next = false;
        let more = MAX_PACKETS;
        Some(Self { reader, track, parameters, tick, more, more_bytes, stumbles: 0, until_next, ahead: None })
    }

    /// The next packet as the container has it.
    fn read(&mut self) -> Option<Packet> {
        loop {
            match self.reader.next_packet() {
                Ok(Some(packet)) => {
                    self.more = self.more.checked_sub(1)?;
                    self.more_bytes = self.more_bytes.checked_sub(packet.data.len() as u64)?;
                    if packet.track_id == self.track {
                        return Some(packet);
                    }
                }
                Err(Error::DecodeError(_)) if self.stumbles < MAX_STUMBLES => self.stumbles += 1,
                // Its end, or another sound behind the first.
                Ok(None) | Err(_) => return None,
            }
        }
    }
}

impl Iterator for Packets<'_> {
    type Item = Packet;

    fn next(&mut self) -> Option<Packet> {
        if !self.until_next {
            return self.read();
        }
        let mut packet = self.ahead.take().or_else(|| self.read())?;
        self.ahead = self.read();
        let next = self.ahead.as_mut().map(|next| (next.pts.get().saturating_sub(packet.pts.get()), next));
        if let Some((lasts, next)) = next {
            packet.dur = u64::try_from(lasts).unwrap_or_default().into();
            // The last has none behind it, and is about as long as the one before.
            if next.dur.get() == 0 {
                next.dur = packet.dur;
            }
        }
        Some(packet)
    }
}

/// When the sound of an Ogg begins, of which `bytes` are the beginning, as its pages count; 0 where that is not to be found.
pub(super) fn begins(bytes: &[u8]) -> u64 {
    let first = unless_it_unwinds(|| Packets::open(Container::Ogg, bytes)?.next());
    // What is not to be heard begins before 0.
    first.ok().flatten().and_then(|packet| u64::try_from(packet.pts.get()).ok()).unwrap_or_default()
}

fn reader(container: Container, bytes: &[u8]) -> Result<Box<dyn FormatReader + '_>> {
    let options = FormatOptions::default();
    let sound = bytes.get(said::id3_end(bytes)..).unwrap_or_default();
    // Where a reader can seek, it looks for the end first, and guesses lengths that it then cuts the sound to.
    let forward = |sound| stream(ReadOnlySource::new(Cursor::new(sound)));
    Ok(match container {
        Container::Mpeg => Box::new(MpaReader::try_new(forward(sound), options)?),
        Container::Adts => Box::new(AdtsReader::try_new(forward(sound), options)?),
        Container::Flac => Box::new(FlacReader::try_new(forward(sound), options)?),
        Container::Wav => Box::new(WavReader::try_new(forward(bytes), options)?),
        Container::Aiff => Box::new(AiffReader::try_new(forward(bytes), options)?),
        Container::Ogg => Box::new(OggReader::try_new(forward(bytes), options)?),
        Container::Mp4 => Box::new(IsoMp4Reader::try_new(stream(Cursor::new(bytes)), options)?),
        #[cfg(feature = "video")]
        Container::Matroska => Box::new(MkvReader::try_new(stream(Cursor::new(bytes)), options)?),
    })
}

fn stream<'a>(source: impl MediaSource + 'a) -> MediaSourceStream<'a> {
    MediaSourceStream::new(Box::new(source), MediaSourceStreamOptions::default())
}
