//! The loudest moment of each hundredth of a sound.

use vestibule_domain::inspection::WAVEFORM_POINTS;

use super::ear::Samples;

/// The hundredths of a sound of known length.
pub(super) struct Peaks {
    total: u64,
    points: [u8; WAVEFORM_POINTS],
    heard: bool,
}

impl Peaks {
    /// Silence, `total` ticks long, at least 1.
    pub(super) fn new(total: u64) -> Self {
        Self { total, points: [0; WAVEFORM_POINTS], heard: false }
    }

    /// How many ticks there are.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Adds samples that last from tick `start` to tick `end`.
    pub(super) fn add(&mut self, start: u64, end: u64, samples: &Samples<'_>) {
        let frames = samples.interleaved.len() / samples.channels;
        let end = end.min(self.total);
        if start >= end || frames == 0 {
            return;
        }
        self.heard = true;
        let points = WAVEFORM_POINTS as u128;
        let (first, last) = (self.point_of(start), self.last_point_before(end));
        for point in first..=last {
            // The frame that is sounded at a tick, of those of this packet.
            let frame_at = |tick: u128| {
                let into = tick.clamp(start.into(), end.into()) - u128::from(start);
                usize::try_from(into * frames as u128 / u128::from(end - start)).unwrap_or(frames)
            };
            let tick_of = |point: usize| point as u128 * u128::from(self.total) / points;
            let from = frame_at(tick_of(point)).min(frames - 1);
            // Of a sound with fewer samples than points, each sample is more than one point.
            let to = frame_at(tick_of(point + 1)).max(from + 1);
            let range = from * samples.channels..to * samples.channels;
            let peak = peak(samples.interleaved.get(range).unwrap_or_default());
            if let Some(known) = self.points.get_mut(point) {
                *known = peak.max(*known);
            }
        }
    }

    /// The points; `None` where nothing was heard.
    pub(super) fn points(self) -> Option<[u8; WAVEFORM_POINTS]> {
        self.heard.then_some(self.points)
    }

    /// The last point that begins before a tick, which is not the first.
    fn last_point_before(&self, tick: u64) -> usize {
        let point = (u128::from(tick) * WAVEFORM_POINTS as u128).saturating_sub(1) / u128::from(self.total.max(1));
        usize::try_from(point).unwrap_or(usize::MAX).min(WAVEFORM_POINTS - 1)
    }

    fn point_of(&self, tick: u64) -> usize {
        let point = u128::from(tick) * WAVEFORM_POINTS as u128 / u128::from(self.total);
        usize::try_from(point).unwrap_or(usize::MAX).min(WAVEFORM_POINTS - 1)
    }
}

/// The largest distance from silence, where 255 is full scale. Codecs that lose something overshoot it: that is full scale as well.
fn peak(samples: &[f32]) -> u8 {
    let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from a float saturates")]
    let level = (peak * 255.0).round() as u8;
    level
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(interleaved: &[f32], channels: usize) -> Samples<'_> {
        Samples { interleaved, channels }
    }

    #[test]
    fn each_point_is_the_peak_of_its_hundredth_over_all_channels() {
        let mut peaks = Peaks::new(200);
        // Two frames a point, two channels; in three packets that end inside points.
        let all: Vec<f32> = (0..100_u8).flat_map(|level| [0.0, 0.0, 0.0, -f32::from(level) / 255.0]).collect();
        for (start, end) in [(0, 33), (33, 101), (101, 200)] {
            peaks.add(start as u64, end as u64, &samples(&all[start * 2..end * 2], 2));
        }
        let expected: Vec<u8> = (0..100).collect();
        assert_eq!(peaks.points().unwrap().to_vec(), expected);
    }

    #[test]
    fn a_sound_shorter_than_its_points_fills_them_all() {
        let mut peaks = Peaks::new(3);
        peaks.add(0, 3, &samples(&[1.0, 0.5, 0.25], 1));
        let points = peaks.points().unwrap();
        assert_eq!(
            (points[0], points[33], points[34], points[66], points[67], points[99]),
            (255, 255, 128, 128, 64, 64)
        );
        let mut peaks = Peaks::new(1);
        peaks.add(0, 1, &samples(&[-2.0], 1));
        assert_eq!(peaks.points(), Some([255; WAVEFORM_POINTS]));
    }

    #[test]
    fn ticks_need_not_be_samples() {
        // A second of 100 samples in 48,000 ticks, and one of 8,000 samples in milliseconds.
        for (total, frames) in [(48_000, 100_u16), (1000, 8000)] {
            let mut peaks = Peaks::new(total);
            let swell: Vec<f32> = (0..frames).map(|frame| f32::from(frame) / f32::from(frames)).collect();
            let half = usize::from(frames / 2);
            peaks.add(0, total / 2, &samples(&swell[..half], 1));
            peaks.add(total / 2, total, &samples(&swell[half..], 1));
            let points = peaks.points().unwrap();
            for (point, level) in points.iter().enumerate() {
                assert!(level.abs_diff(u8::try_from(point * 255 / 100).unwrap()) <= 3, "{point}: {level}");
            }
        }
    }

    #[test]
    fn nothing_heard_is_no_silence() {
        let mut peaks = Peaks::new(10);
        peaks.add(10, 12, &samples(&[1.0], 1));
        peaks.add(3, 3, &samples(&[1.0], 1));
        peaks.add(3, 4, &samples(&[], 1));
        assert_eq!(peaks.points(), None);
        let mut peaks = Peaks::new(10);
        peaks.add(0, 10, &samples(&[0.0; 10], 1));
        assert_eq!(peaks.points(), Some([0; WAVEFORM_POINTS]));
    }
}
