//! The thread that plays, over ALSA's default device.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rodio::cpal::ErrorKind;
use rodio::{DeviceSinkBuilder, MixerDeviceSink, Source};

use super::{State, Tone, samples};
use crate::capture::Mailbox;

/// A sound card that was not there is looked for again after so long.
const BETWEEN_TRIES: Duration = Duration::from_secs(30);
/// What is cut off fades for so many milliseconds, so that it does not click.
const FADE_MS: u32 = 5;

/// Plays what comes until nothing more will.
pub(super) fn run(slot: &Mailbox<Tone>, volume: u8, tell: &dyn Fn(State)) {
    // ALSA writes its own complaints to standard error, where the log is; what they come to is in the error.
    let _quiet = alsa::Output::local_error_handler();
    let mut card = Card::default();
    card.open(tell);
    while let Ok(tone) = slot.take() {
        card.play(tone, volume, tell);
    }
}

#[derive(Default)]
struct Card {
    output: Option<Output>,
    tried: Option<Instant>,
    /// Said once, not at every try.
    said: bool,
}

struct Output {
    sink: MixerDeviceSink,
    /// The card is gone.
    lost: Arc<AtomicBool>,
    /// Of what is being played.
    cut: Arc<AtomicBool>,
}

impl Card {
    fn open(&mut self, tell: &dyn Fn(State)) {
        self.tried = Some(Instant::now());
        let lost = Arc::new(AtomicBool::new(false));
        match open(&lost) {
            Ok(sink) => {
                tracing::info!(rate = sink.config().sample_rate(), "sound");
                self.said = false;
                self.output = Some(Output { sink, lost, cut: Arc::default() });
                tell(State::Ready);
            }
            Err(error) => {
                if !std::mem::replace(&mut self.said, true) {
                    tracing::warn!("no sound: {error}; the gate works without");
                }
                tell(State::NoCard(error));
            }
        }
    }

    fn play(&mut self, tone: Tone, volume: u8, tell: &dyn Fn(State)) {
        self.output.take_if(|output| output.lost.load(Ordering::Relaxed));
        if self.output.is_none() && self.tried.is_none_or(|tried| tried.elapsed() >= BETWEEN_TRIES) {
            self.open(tell);
        }
        let Some(output) = &mut self.output else { return };
        output.cut.store(true, Ordering::Relaxed);
        output.cut = Arc::default();
        let rate = output.sink.config().sample_rate();
        output.sink.mixer().add(Voice::new(samples(tone, volume, rate.get()), rate, Arc::clone(&output.cut)));
    }
}

fn open(lost: &Arc<AtomicBool>) -> Result<MixerDeviceSink, String> {
    let lost = Arc::clone(lost);
    let on_error = move |error: rodio::cpal::Error| {
        // What was played too late is over; everything else ends the stream.
        if !matches!(error.kind(), ErrorKind::Xrun | ErrorKind::RealtimeDenied) && !lost.swap(true, Ordering::Relaxed) {
            tracing::warn!("the sound card is gone: {error}");
        }
    };
    let words = |error: rodio::DeviceSinkError| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        format!("{error}{}", cause.unwrap_or_default())
    };
    let device = DeviceSinkBuilder::from_default_device().map_err(words)?;
    let mut sink = device.with_error_callback(on_error).open_stream().map_err(words)?;
    sink.log_on_drop(false);
    Ok(sink)
}

/// A tone that can be cut off.
struct Voice {
    samples: std::vec::IntoIter<f32>,
    rate: NonZero<u32>,
    cut: Arc<AtomicBool>,
    /// Samples of the fade, and how many of them are left.
    fade: u32,
    left: u32,
}

impl Voice {
    fn new(samples: Vec<f32>, rate: NonZero<u32>, cut: Arc<AtomicBool>) -> Self {
        let fade = (rate.get() * FADE_MS / 1000).max(1);
        Self { samples: samples.into_iter(), rate, cut, fade, left: fade }
    }
}

impl Iterator for Voice {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        let sample = self.samples.next()?;
        if !self.cut.load(Ordering::Relaxed) {
            return Some(sample);
        }
        self.left = self.left.checked_sub(1)?;
        Some(sample * self.left as f32 / self.fade as f32)
    }
}

impl Source for Voice {
    fn current_span_len(&self) -> Option<usize> {
        None
    }

    fn channels(&self) -> NonZero<u16> {
        NonZero::<u16>::MIN
    }

    fn sample_rate(&self) -> NonZero<u32> {
        self.rate
    }

    fn total_duration(&self) -> Option<Duration> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_fades_in_a_moment_and_is_over() {
        let (rate, cut) = (NonZero::new(48_000).unwrap(), Arc::new(AtomicBool::new(false)));
        let mut voice = Voice::new(vec![1.0; 48_000], rate, Arc::clone(&cut));
        assert!(voice.by_ref().take(1000).all(|sample| sample == 1.0));
        cut.store(true, Ordering::Relaxed);
        let rest: Vec<f32> = voice.collect();
        assert_eq!(rest.len(), 240);
        assert!(rest.windows(2).all(|two| (two[0] - two[1] - 1.0 / 240.0).abs() < 1e-4), "it falls evenly");
    }
}
