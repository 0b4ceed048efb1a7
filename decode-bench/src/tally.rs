//! What became of the frames of one corpus, place and reader.

use std::time::Duration;

use serde::Serialize;

use crate::corpora::Kind;
use crate::readers::{Reading, Which};
use crate::shot::{Shot, Truth, legible};

#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) frames: u64,
    /// Sum over frames of what was decoded: 0 or 1, or the share of many codes.
    pub(crate) decoded: f64,
    /// The same, up to this frame of its sequence.
    pub(crate) so_far: f64,
    pub(crate) misreads: u64,
    pub(crate) panics: u64,
    /// Frames of which zxing-cpp read the code and this reader did not.
    pub(crate) lost: u64,
    /// Frames of which this reader read the code and zxing-cpp did not.
    pub(crate) won: u64,
    cpu: Vec<f32>,
}

/// CPU of one frame in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Cpu {
    pub(crate) mean: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Tally {
    pub(crate) fn rate(&self) -> f64 {
        100.0 * self.decoded / (self.frames.max(1) as f64)
    }

    pub(crate) fn rate_so_far(&self) -> f64 {
        100.0 * self.so_far / (self.frames.max(1) as f64)
    }

    pub(crate) fn cpu(&self) -> Cpu {
        let mut cpu = self.cpu.clone();
        cpu.sort_by(f32::total_cmp);
        let Some(last) = cpu.len().checked_sub(1) else { return Cpu::default() };
        let at = |share: f64| f64::from(cpu[(share * last as f64).round() as usize]);
        let mean = cpu.iter().map(|ms| f64::from(*ms)).sum::<f64>() / cpu.len() as f64;
        Cpu { mean, p50: at(0.5), p99: at(0.99), max: at(1.0) }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.frames += other.frames;
        self.decoded += other.decoded;
        self.so_far += other.so_far;
        self.misreads += other.misreads;
        self.panics += other.panics;
        self.lost += other.lost;
        self.won += other.won;
        self.cpu.extend_from_slice(&other.cpu);
    }

    pub(crate) fn spend(&mut self, cpu: Duration) {
        self.cpu.push(cpu.as_secs_f32() * 1000.0);
    }
}

/// A reader's word about a frame, judged.
pub(crate) struct Judged {
    /// 0 to 1.
    pub(crate) decoded: f64,
    /// Texts that are not in the frame.
    pub(crate) misreads: Vec<String>,
}

/// Judges one of the readings of a shot.
pub(crate) fn judge(kind: Kind, shot: &Shot, readings: &[(Which, Reading)], reader: usize) -> Judged {
    let (which, reading) = &readings[reader];
    let says = |text: &Vec<u8>| reading.texts.contains(text);
    // A photo may show codes that its truth does not name: what a reader that shares no code also says is there.
    let witnessed = |text: &Vec<u8>| readings.iter().any(|(w, r)| !w.is_kin(*which) && r.texts.contains(text));
    let misread = |text: &&Vec<u8>| match &shot.truth {
        Truth::Exactly(texts) => !texts.contains(*text),
        Truth::AtLeast(truth) => *text != truth && !witnessed(text),
        Truth::Unknown => false,
    };
    let share = |yes: bool| if yes { 1.0 } else { 0.0 };
    let decoded = match &shot.truth {
        Truth::Exactly(texts) if kind == Kind::Special(tongguan_sim::corpus::Special::Many) => {
            texts.iter().filter(|text| says(text)).count() as f64 / texts.len().max(1) as f64
        }
        // A code beside ours is no loss at a gate: the first one counts.
        Truth::Exactly(texts) => share(texts.first().is_some_and(says)),
        Truth::AtLeast(truth) => share(says(truth)),
        Truth::Unknown => share(!reading.texts.is_empty()),
    };
    Judged { decoded, misreads: reading.texts.iter().filter(misread).map(|text| legible(text)).collect() }
}
