//! From a packet to samples, whatever its codec.

use opus_rs::OpusDecoder;
use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::packet::Packet;

/// Opus is decoded at its own rate, which is that of its packets' durations, in hertz.
const OPUS_RATE: i32 = 48_000;
/// Most samples of one channel in a packet of Opus: 120 ms. <https://www.rfc-editor.org/rfc/rfc6716#section-3.2.5>
const OPUS_PACKET: usize = 5760;

/// A decoder, and the samples of the last packet.
pub(super) struct Ear {
    decoder: Decoder,
    samples: Vec<f32>,
}

enum Decoder {
    Opus { decoder: Box<OpusDecoder>, channels: usize, pcm: Vec<f32> },
    Other(Box<dyn AudioDecoder>),
}

/// What a packet sounds like.
pub(super) struct Samples<'a> {
    /// Between -1 and 1, the channels of a moment beside each other.
    pub(super) interleaved: &'a [f32],
    /// How many channels, at least 1.
    pub(super) channels: usize,
}

impl Ear {
    /// A decoder of a track; `None` for a codec that is not decoded here.
    pub(super) fn of(parameters: &AudioCodecParameters) -> Option<Self> {
        let decoder = if parameters.codec == CODEC_ID_OPUS {
            opus(parameters)?
        } else {
            // What is silence before the beginning and behind the end is cut off by who knows the whole.
            let options = AudioDecoderOptions::default().gapless(false);
            Decoder::Other(symphonia::default::get_codecs().make_audio_decoder(parameters, &options).ok()?)
        };
        Some(Self { decoder, samples: Vec::new() })
    }

    /// Forgets what came before: the next packet is not the one behind the last.
    pub(super) fn reset(&mut self) {
        match &mut self.decoder {
            Decoder::Opus { decoder, channels, .. } => {
                if let Ok(new) = OpusDecoder::new(OPUS_RATE, *channels) {
                    **decoder = new;
                }
            }
            Decoder::Other(decoder) => decoder.reset(),
        }
    }

    /// The samples of a packet, with those that are to be cut off; `None` for a damaged one.
    pub(super) fn hear(&mut self, packet: &Packet) -> Option<Samples<'_>> {
        self.samples.clear();
        let channels = match &mut self.decoder {
            Decoder::Opus { decoder, channels, pcm } => {
                // No bytes mean a lost packet to the decoder, of which it makes something up.
                if packet.data.is_empty() {
                    return None;
                }
                let count = decoder.decode(&packet.data, OPUS_PACKET, pcm).ok()?.checked_mul(*channels)?;
                self.samples.extend_from_slice(pcm.get(..count)?);
                *channels
            }
            Decoder::Other(decoder) => {
                let buffer: GenericAudioBufferRef<'_> = decoder.decode(packet).ok()?;
                buffer.copy_to_vec_interleaved(&mut self.samples);
                buffer.num_planes()
            }
        };
        (channels > 0).then_some(Samples { interleaved: &self.samples, channels })
    }
}

/// A decoder of one stream of Opus, of one channel or two; more are several streams in each packet.
fn opus(parameters: &AudioCodecParameters) -> Option<Decoder> {
    let channels = parameters.channels.as_ref()?.count();
    let head = parameters.extra_data.as_deref().unwrap_or_default();
    // The mapping family: <https://www.rfc-editor.org/rfc/rfc7845#section-5.1>
    let several = head.starts_with(b"OpusHead") && head.get(18).is_some_and(|family| *family != 0);
    if several || channels > 2 {
        return None;
    }
    let decoder = Box::new(OpusDecoder::new(OPUS_RATE, channels).ok()?);
    Some(Decoder::Opus { decoder, channels, pcm: vec![0.0; OPUS_PACKET * channels] })
}
