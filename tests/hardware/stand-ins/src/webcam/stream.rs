//! Frames through the bulk endpoint: UVC payloads (chapter 2.4.3) of a picture, again and again.

use std::fs::File;
use std::io::Write as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use image::GrayImage;

use crate::descriptors::{Choice, PAYLOAD};
use crate::picture::packed;

/// The header of a payload: its length and its flags.
const HEADER: usize = 2;
const FRAME_ID: u8 = 0x01;
const END_OF_FRAME: u8 = 0x02;
const ERROR: u8 = 0x40;
const END_OF_HEADER: u8 = 0x80;
/// A transfer that is shorter than it may be ends with a packet that is not full.
const PACKET: usize = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Stalled,
    Truncated,
    Flagged,
}

/// What is sent, and how.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scene {
    pub(crate) picture: Option<Arc<GrayImage>>,
    pub(crate) fault: Option<Fault>,
    /// What the host committed to; until then nothing is sent.
    pub(crate) choice: Option<Choice>,
}

/// The scene, and how often it has changed.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    scene: Mutex<(Scene, u64)>,
    changed: Condvar,
}

impl Stage {
    pub(crate) fn change(&self, change: impl FnOnce(&mut Scene)) {
        let mut scene = self.lock();
        change(&mut scene.0);
        scene.1 += 1;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, (Scene, u64)> {
        self.scene.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `at`, or for a change; then the scene, if it is not the one of `version`.
    fn newer(&self, version: u64, at: Instant) -> Option<(Scene, u64)> {
        let wait = at.saturating_duration_since(Instant::now());
        let (scene, _) = self
            .changed
            .wait_timeout_while(self.lock(), wait, |scene| scene.1 == version)
            .unwrap_or_else(PoisonError::into_inner);
        (scene.1 != version).then(|| scene.clone())
    }
}

/// Sends frames until the endpoint is gone.
pub(crate) fn stream(mut endpoint: File, stage: &Stage) {
    let (mut scene, mut version, mut frame) = (Scene::default(), 0, Vec::new());
    let (mut next, mut id) = (Instant::now(), 0);
    loop {
        while let Some((newer, its)) = stage.newer(version, next) {
            (scene, version) = (newer, its);
            let made = scene.choice.map(|choice| packed(scene.picture.as_deref(), choice));
            frame = made.and_then(Result::ok).unwrap_or_default();
        }
        let pace = scene.choice.map_or(1_000_000, |choice| choice.packing.interval());
        next = Instant::now() + Duration::from_nanos(u64::from(pace) * 100);
        if frame.is_empty() || scene.fault == Some(Fault::Stalled) {
            continue;
        }
        let error = if scene.fault == Some(Fault::Flagged) { ERROR } else { 0 };
        let end = if scene.fault == Some(Fault::Truncated) { frame.len() / 2 } else { frame.len() };
        id ^= FRAME_ID;
        let mut at = 0;
        while at < end {
            let mut some = (end - at).min(PAYLOAD as usize - HEADER);
            // No short packet would end this transfer: one byte is left for another.
            if at + some == end && (HEADER + some).is_multiple_of(PACKET) && some > 1 {
                some -= 1;
            }
            let last = if at + some == end { END_OF_FRAME } else { 0 };
            let header = [2, END_OF_HEADER | id | error | last];
            if let Err(gone) = endpoint.write_all(&[&header[..], &frame[at..at + some]].concat()) {
                writeln!(std::io::stdout(), "the stream has ended: {gone}").ok();
                return;
            }
            at += some;
            // The host began anew while this waited for it: what is left is of a frame that it does not want.
            if stage.lock().0.choice != scene.choice {
                break;
            }
        }
    }
}
