//! The tones, made here. They are told apart by their rhythm alone, so also by those who hear no pitch, and over a small speaker.

/// What there is to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Let in: one long.
    Pass,
    /// The guard looks: two short.
    Confirm,
    /// Turned away: three harsh.
    Deny,
    /// The gate does not work: long, short, long.
    Fault,
}

/// One sound of a tone, and the silence after it.
struct Beep {
    hz: f32,
    ms: u32,
    silence_ms: u32,
    /// With overtones, as a buzzer has them.
    harsh: bool,
}

/// So long each sound swells and fades, so that nothing clicks.
const EDGE_MS: f32 = 8.0;

impl Tone {
    fn beeps(self) -> &'static [Beep] {
        const fn clear(hz: f32, ms: u32, silence_ms: u32) -> Beep {
            Beep { hz, ms, silence_ms, harsh: false }
        }
        const fn harsh(hz: f32, ms: u32, silence_ms: u32) -> Beep {
            Beep { hz, ms, silence_ms, harsh: true }
        }
        match self {
            Self::Pass => const { &[clear(880.0, 450, 0)] },
            Self::Confirm => const { &[clear(660.0, 130, 120), clear(660.0, 130, 0)] },
            Self::Deny => const { &[harsh(330.0, 160, 90), harsh(330.0, 160, 90), harsh(330.0, 160, 0)] },
            Self::Fault => const { &[harsh(440.0, 400, 100), harsh(440.0, 100, 100), harsh(440.0, 400, 0)] },
        }
    }
}

/// A tone at a volume of 0 to 100, as so many samples a second, each from -1 to 1.
pub fn samples(tone: Tone, volume: u8, rate: u32) -> Vec<f32> {
    // Ears hear ratios: half of the scale is a quarter of the swing.
    let swing = (f32::from(volume.min(100)) / 100.0).powi(2);
    let length = |ms: u32| u64::from(ms) * u64::from(rate) / 1000;
    let mut samples = Vec::new();
    for beep in tone.beeps() {
        let count = length(beep.ms);
        let edge = EDGE_MS / 1000.0 * rate as f32;
        samples.extend((0..count).map(|at| {
            let (begun, left) = (at as f32, (count - at) as f32);
            let envelope = (begun.min(left) / edge).min(1.0);
            // A raised cosine: its slope has no corners either.
            let envelope = 0.5 - 0.5 * (envelope * std::f32::consts::PI).cos();
            swing * envelope * wave(beep, begun / rate as f32)
        }));
        samples.extend((0..length(beep.silence_ms)).map(|_| 0.0));
    }
    samples
}

fn wave(beep: &Beep, seconds: f32) -> f32 {
    let partial = |n: f32| (std::f32::consts::TAU * beep.hz * n * seconds).sin() / n;
    if beep.harsh { (partial(1.0) + partial(3.0) + partial(5.0) + partial(7.0)) * 0.9 } else { partial(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 48_000;

    /// How long each sound and each silence is, in steps of 10 ms.
    fn rhythm(samples: &[f32]) -> Vec<(bool, usize)> {
        let mut rhythm: Vec<(bool, usize)> = Vec::new();
        for step in samples.chunks(RATE as usize / 100) {
            let heard = step.iter().any(|s| s.abs() > 0.05);
            match rhythm.last_mut() {
                Some((last, count)) if *last == heard => *count += 10,
                _ => rhythm.push((heard, 10)),
            }
        }
        rhythm
    }

    #[test]
    fn each_tone_has_a_rhythm_of_its_own() {
        let heard = |tone| -> Vec<usize> {
            rhythm(&samples(tone, 100, RATE)).iter().filter(|(heard, _)| *heard).map(|(_, ms)| *ms).collect()
        };
        assert_eq!(heard(Tone::Pass), [450]);
        assert_eq!(heard(Tone::Confirm), [130, 130]);
        assert_eq!(heard(Tone::Deny), [160, 160, 160]);
        assert_eq!(heard(Tone::Fault), [400, 100, 400]);
    }

    #[test]
    fn nothing_clicks_nothing_is_cut_and_the_volume_is_obeyed() {
        for tone in [Tone::Pass, Tone::Confirm, Tone::Deny, Tone::Fault] {
            for rate in [8_000, 44_100, RATE] {
                let samples = samples(tone, 100, rate);
                let peak = samples.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
                assert!((0.7..=1.0).contains(&peak), "{tone:?} at {rate}: {peak}");
                // Where a sound begins and ends, it does so from silence.
                for (before, after) in samples.iter().zip(&samples[1..]) {
                    assert!(*before != 0.0 || after.abs() < 0.01, "{tone:?} at {rate} begins with {after}");
                }
                assert!(samples.last().is_some_and(|s| s.abs() < 0.05), "{tone:?} at {rate}");
            }
            let quiet = samples(tone, 50, RATE);
            let loud = samples(tone, 100, RATE);
            assert!(quiet.iter().zip(&loud).all(|(q, l)| (q * 4.0 - l).abs() < 1e-4));
            assert!(samples(tone, 0, RATE).iter().all(|s| *s == 0.0));
        }
    }
}
