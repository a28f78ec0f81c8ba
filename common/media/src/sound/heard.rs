//! What the packets of a sound add up to, and what it sounds like: all of a short one, samples of a long one.

use std::collections::VecDeque;
use std::ops::Range;

use symphonia::core::packet::Packet;
use symphonia::core::units::TimeBase;
use vestibule_domain::inspection::WAVEFORM_POINTS;

use super::demux::Packets;
use super::ear::{Ear, Samples};
use super::peaks::Peaks;
use super::{Container, said};
use crate::guarded::unless_it_unwinds;

/// Samples of all channels that are decoded of a long sound, about: those of a minute in stereo at 48 kHz. A sound that has no more is decoded whole.
const SAMPLES: u64 = 60 * 48_000 * 2;
/// In how many runs of packets those of a point are.
const RUNS_PER_POINT: u64 = 4;
/// Runs of packets that are decoded.
const RUNS: u64 = RUNS_PER_POINT * WAVEFORM_POINTS as u64;
/// Packets that are decoded before each run and not listened to. A packet of a lossy codec is half of what is heard while it lasts; the other half is
/// the packet before, and one of MP3 has bits in those before it.
const WARM_UP: usize = 2;
/// Samples that are decoded at most, in all: what a packet holds is only known afterwards. A sound that has more in its packets has no waveform.
const MAX_SAMPLES: u64 = 10 * SAMPLES;

/// What was found by listening.
pub(super) struct Heard {
    total: u64,
    tick: TimeBase,
    /// The loudest moment of each hundredth; `None` where nothing was decoded.
    pub(super) waveform: Option<[u8; WAVEFORM_POINTS]>,
}

impl Heard {
    /// How long the sound is, in milliseconds; `None` for one without an end.
    pub(super) fn millis(&self) -> Option<u64> {
        let (ticks, each) = (u128::from(self.total), u128::from(self.tick.numer.get()));
        let of_a_second = u128::from(self.tick.denom.get());
        u64::try_from((ticks * each).checked_mul(1000)?.checked_add(of_a_second / 2)? / of_a_second).ok()
    }
}

/// Listens to a sound that is in memory. It is gone through twice: once to know how long it is, once to decode.
///
/// Where a library panics, as symphonia does on sums that are too large for it where these are checked, less is known. To go on is sound:
/// its readers and decoders are dropped, and what they borrow is bytes. It has no `unsafe` but in its vectors, and Opus' is behind the same
/// walls (docs/decisions/0019-walls-around-a-decoder.md).
pub(super) fn hear(container: Container, bytes: &[u8]) -> Option<Heard> {
    let links = if container == Container::Ogg { said::links(bytes)? } else { vec![bytes] };
    let (total, tick) = unless_it_unwinds(|| count(container, &links)).ok()??;
    let waveform = unless_it_unwinds(|| waveform(container, &links, total)).ok().flatten();
    Some(Heard { total, tick, waveform })
}

/// How many ticks the packets of all links take, and how long each is; `None` for a sound without any, or with clocks that differ.
fn count(container: Container, links: &[&[u8]]) -> Option<(u64, TimeBase)> {
    let mut total = 0_u64;
    let mut tick = None;
    for link in links {
        let Some(packets) = Packets::open(container, link) else { continue };
        if *tick.get_or_insert(packets.tick) != packets.tick {
            return None;
        }
        total = packets.map(|packet| packet.dur.get()).fold(total, u64::saturating_add);
    }
    Some((total, tick?)).filter(|(total, _)| *total > 0)
}

fn waveform(container: Container, links: &[&[u8]], total: u64) -> Option<[u8; WAVEFORM_POINTS]> {
    let mut peaks = Peaks::new(total);
    let mut at = 0_u64;
    let mut samples_left = MAX_SAMPLES;
    for link in links {
        let Some(packets) = Packets::open(container, link) else { continue };
        at = listen(packets, at, &mut peaks, &mut samples_left)?;
    }
    peaks.points()
}

/// Listens to what begins at tick `at` of the whole, and says where it ends; `None` when there is more to decode than is allowed, or a codec
/// that is not decoded.
fn listen(packets: Packets<'_>, mut at: u64, peaks: &mut Peaks, samples_left: &mut u64) -> Option<u64> {
    let mut ear = Ear::of(&packets.parameters)?;
    let plan = Plan::of(&packets, peaks.total())?;
    let mut passed: VecDeque<Packet> = VecDeque::new();
    let mut is_gap = false;
    for packet in packets {
        let ticks = at..at.saturating_add(packet.dur.get());
        at = ticks.end;
        if !plan.wants(&ticks) {
            passed.push_back(packet);
            if passed.len() > WARM_UP {
                passed.pop_front();
                is_gap = true;
            }
            continue;
        }
        if is_gap {
            ear.reset();
        }
        is_gap = false;
        for before in passed.drain(..) {
            let count = ear.hear(&before).map_or(0, |samples| samples.interleaved.len());
            *samples_left = samples_left.checked_sub(count as u64)?;
        }
        if let Some(samples) = ear.hear(&packet) {
            *samples_left = samples_left.checked_sub(samples.interleaved.len() as u64)?;
            peaks.add(ticks.start, ticks.end, &trimmed(&samples, &packet));
        }
    }
    Some(at)
}

/// Which packets are decoded: those at the beginning of each of [`RUNS`] equal parts.
struct Plan {
    total: u64,
    run: u64,
}

impl Plan {
    fn of(packets: &Packets<'_>, total: u64) -> Option<Self> {
        let channels = packets.parameters.channels.as_ref().map_or(2, |channels| channels.count().max(1)) as u64;
        let rate = u128::from(packets.parameters.sample_rate.unwrap_or(48_000));
        let frames = u128::from(SAMPLES / RUNS / channels);
        let (each, of_a_second) = (packets.tick.numer.get(), packets.tick.denom.get());
        let ticks = (frames * u128::from(of_a_second)).checked_div(rate * u128::from(each))?;
        Some(Self { total, run: u64::try_from(ticks).unwrap_or(u64::MAX) })
    }

    fn wants(&self, ticks: &Range<u64>) -> bool {
        let part = u128::from(ticks.start) * u128::from(RUNS) / u128::from(self.total);
        let begins = |part: u128| (part * u128::from(self.total)).div_ceil(u128::from(RUNS));
        let ends = begins(part).saturating_add(self.run.into());
        u128::from(ticks.start) < ends || begins(part + 1) < u128::from(ticks.end)
    }
}

/// The samples without those that are to be cut off at the sound's beginning and end.
fn trimmed<'a>(samples: &Samples<'a>, packet: &Packet) -> Samples<'a> {
    let frames = samples.interleaved.len() / samples.channels;
    let whole = u128::from(packet.block_dur().get()).max(1);
    let share = |ticks: u64| usize::try_from(frames as u128 * u128::from(ticks) / whole).unwrap_or(frames);
    let from = share(packet.trim_start.get()).min(frames);
    let to = frames.saturating_sub(share(packet.trim_end.get())).max(from);
    let interleaved = samples.interleaved.get(from * samples.channels..to * samples.channels).unwrap_or_default();
    Samples { interleaved, channels: samples.channels }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_short_sound_is_wanted_and_the_same_little_of_any_long_one() {
        for (total, run, expected) in [(4000, 10, 4000), (4000, 11, 4000), (40_000, 10, 4000), (4_000_000, 10, 4000)] {
            let plan = Plan { total, run };
            let wanted = (0..total).filter(|at| plan.wants(&(*at..at + 1))).count();
            assert_eq!(wanted, expected, "{total}");
        }
        // A packet that reaches into a run is wanted.
        let plan = Plan { total: 40_000, run: 10 };
        assert!(
            plan.wants(&(50..101)) && !plan.wants(&(50..100)) && plan.wants(&(109..120)) && !plan.wants(&(110..120))
        );
        assert!(!plan.wants(&(39_910..40_000)));
    }
}
