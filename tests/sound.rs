//! What a gate plays, recorded behind ALSA: its default device is one that writes to a pipe.
#![cfg(feature = "sound")]
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Checkpoint, Registry, TONGGUAN, picture};

const RATE: usize = 48_000;
/// Bytes of a second: two channels of 16 bits.
const SECOND: usize = RATE * 4;

/// Runs a gate before which each picture is held for `1 / fps` seconds, and gives so many seconds of what it plays, and its log.
fn listen(checkpoint: &Checkpoint, pictures: &Path, fps: f64, seconds: usize) -> (Vec<f32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, config) = (folder.path().join("played"), folder.path().join("asound.conf"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let device = format!(
        "pcm.!default {{ type plug slave {{ pcm \"kept\" rate {RATE} channels 2 format S16_LE }} }}\n\
         pcm.kept {{ type file slave.pcm {{ type null }} file \"{}\" format \"raw\" }}\n",
        pipe.display()
    );
    std::fs::write(&config, device).unwrap();
    let mut gate = Command::new(TONGGUAN)
        .args(["run", "--data", &checkpoint.data(), "--gate", "sim", "--screen", "none"])
        .args(["--camera", &format!("replay:{}?fps={fps}", pictures.display())])
        .env("ALSA_CONFIG_PATH", &config)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The null device takes everything at once; whoever reads the pipe sets the pace of a sound card.
    let mut played = std::fs::File::open(&pipe).unwrap();
    let mut bytes = vec![0; SECOND * seconds];
    let began = Instant::now();
    for (part, at) in bytes.chunks_mut(SECOND / 100).zip(1_u32..) {
        played.read_exact(part).unwrap();
        std::thread::sleep((Duration::from_millis(10) * at).saturating_sub(began.elapsed()));
    }
    gate.kill().unwrap();
    drop(played);
    let mut log = String::new();
    gate.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    gate.wait().unwrap();
    let left = bytes.chunks_exact(4).map(|frame| f32::from(i16::from_le_bytes([frame[0], frame[1]])) / 32_768.0);
    (left.collect(), log)
}

/// Each sound in it: how long in milliseconds, and its pitch in steps of 10 Hz.
fn sounds(played: &[f32]) -> Vec<(usize, u32)> {
    let step = RATE / 100;
    let heard: Vec<bool> = played.chunks(step).map(|part| part.iter().any(|s| s.abs() > 0.02)).collect();
    let mut sounds = Vec::new();
    let mut at = 0;
    while at < heard.len() {
        let count = heard[at..].iter().take_while(|there| **there).count();
        if count > 0 {
            sounds.push((count * 10, pitch(&played[at * step..(at + count) * step])));
        }
        at += count.max(1);
    }
    sounds
}

/// The frequency that is strongest in it (Goertzel).
fn pitch(part: &[f32]) -> u32 {
    let power = |hz: u32| {
        let turn = 2.0 * (std::f64::consts::TAU * f64::from(hz) / RATE as f64).cos();
        let (last, before) = part.iter().fold((0.0, 0.0), |(one, two), s| (f64::from(*s) + turn * one - two, one));
        last * last + before * before - turn * last * before
    };
    (100..2_000).step_by(10).max_by(|a, b| power(*a).total_cmp(&power(*b))).unwrap()
}

fn near(sounds: &[(usize, u32)], wanted: &[(usize, u32)]) -> bool {
    sounds.len() == wanted.len()
        && sounds.iter().zip(wanted).all(|(is, is_to)| is.0.abs_diff(is_to.0) <= 20 && is.1.abs_diff(is_to.1) <= 10)
}

/// Of a gate that knows the registry's lists: one code that passes, and one that is no pass.
fn pictures(registry: &Registry) -> tempfile::TempDir {
    let pictures = tempfile::tempdir().unwrap();
    picture(&registry.live(&registry.person("周某")), &pictures.path().join("1.png"));
    picture("https://example.com/a-web-page", &pictures.path().join("2.png"));
    pictures
}

#[test]
fn one_long_tone_for_a_pass_and_three_harsh_ones_for_a_deny() {
    let registry = Registry::new();
    let (pictures, checkpoint) = (pictures(&registry), Checkpoint::synced(&registry));
    // Both come back before they are presentations of their own, so each is heard once.
    let (played, log) = listen(&checkpoint, pictures.path(), 0.7, 5);
    assert!(near(&sounds(&played), &[(450, 880), (160, 330), (160, 330), (160, 330)]), "{:?}\n{log}", sounds(&played));
    let peak = played.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
    assert!((0.4..0.55).contains(&peak), "at a volume of 70 half of the swing, not {peak}");
}

#[test]
fn a_fault_is_heard_and_two_short_tones_where_the_guard_is_asked() {
    let registry = Registry::new();
    let pictures = pictures(&registry);
    // First nobody, then the code.
    std::fs::rename(pictures.path().join("1.png"), pictures.path().join("2.png")).unwrap();
    image::GrayImage::from_pixel(300, 300, image::Luma([200])).save(pictures.path().join("1.png")).unwrap();
    // It never synced, which is a fault, and asks the guard about every code.
    let (played, log) = listen(&Checkpoint::new(&registry, ""), pictures.path(), 0.6, 4);
    let wanted = [(400, 440), (100, 440), (400, 440), (130, 660), (130, 660)];
    assert!(near(&sounds(&played), &wanted), "{:?}\n{log}", sounds(&played));
}

#[test]
fn the_newest_verdict_cuts_off_the_tone_before() {
    let registry = Registry::new();
    let (pictures, checkpoint) = (pictures(&registry), Checkpoint::synced(&registry));
    let (played, log) = listen(&checkpoint, pictures.path(), 5.0, 3);
    let heard = sounds(&played);
    // The pass would fill the silence after the first sound of the deny, if it were still there.
    assert!(near(&heard[heard.len() - 2..], &[(160, 330), (160, 330)]), "{heard:?}\n{log}");
    let begins = played.iter().position(|s| s.abs() > 0.02).unwrap();
    assert!(pitch(&played[begins..begins + RATE / 50]).abs_diff(880) <= 30, "it began with the pass: {heard:?}");
}

#[test]
fn a_gate_without_a_sound_card_says_so_once_and_works() {
    let registry = Registry::new();
    let (pictures, checkpoint) = (pictures(&registry), Checkpoint::synced(&registry));
    let nothing = tempfile::tempdir().unwrap();
    let config = nothing.path().join("asound.conf");
    std::fs::write(&config, "").unwrap();
    let said = Command::new(TONGGUAN)
        .args(["run", "--data", &checkpoint.data(), "--gate", "sim", "--screen", "none", "--events", "-"])
        .args(["--camera", &format!("replay:{}?fps=4&loop=0", pictures.path().display())])
        .env("ALSA_CONFIG_PATH", &config)
        .output()
        .unwrap();
    let (events, log) = (String::from_utf8(said.stdout).unwrap(), String::from_utf8(said.stderr).unwrap());
    assert_eq!((said.status.code(), events.lines().count()), (Some(0), 2), "{log}");
    assert_eq!(log.matches("no sound: ").count(), 1, "{log}");
    assert!(!log.contains("ALSA lib"), "{log}");
}
