//! `keyboard`: a USB scan engine that is a keyboard, through Linux's uinput; plugged in as long as it runs.
//!
//! On standard input it is told, one a line, what it reads: `scan TEXT` types the text and enter, as engines do; `rush TEXT` too, but
//! faster than anybody listens.

use std::io::{BufRead as _, Write as _};

use std::time::Duration;

use anyhow::Context as _;
use evdev::uinput::VirtualDevice;
use evdev::{AttributeSet, EventType, InputEvent, KeyCode};

/// From one report of a USB keyboard to the next.
const REPORT: Duration = Duration::from_millis(2);
/// The keys of a US keyboard, row by row from the first key on: alone, and with shift.
const ROWS: [(KeyCode, &str, &str); 5] = [
    (KeyCode::KEY_1, "1234567890-=", "!@#$%^&*()_+"),
    (KeyCode::KEY_Q, "qwertyuiop[]\n", "QWERTYUIOP{}"),
    (KeyCode::KEY_A, "asdfghjkl;'`", "ASDFGHJKL:\"~"),
    (KeyCode::KEY_BACKSLASH, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (KeyCode::KEY_SPACE, " ", ""),
];

fn main() -> anyhow::Result<()> {
    let keys: AttributeSet<KeyCode> = (1..128).map(KeyCode).collect();
    let mut device = VirtualDevice::builder()?.name("scan engine").with_keys(&keys)?.build()?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (word, text) = line.split_once(' ').context("it is told: scan TEXT")?;
        let pace = if word == "rush" { Duration::ZERO } else { REPORT };
        for c in text.chars().chain(['\n']) {
            let (key, shifted) = key(c).with_context(|| format!("no key gives {c:?}"))?;
            let shift = |value| InputEvent::new(EventType::KEY.0, KeyCode::KEY_LEFTSHIFT.0, value);
            let press = |value| InputEvent::new(EventType::KEY.0, key.0, value);
            for change in [shift(shifted.into()), press(1), press(0)] {
                device.emit(&[change])?;
                std::thread::sleep(pace);
            }
        }
        writeln!(std::io::stdout(), "is: {line}")?;
    }
    Ok(())
}

/// The key that gives a character, and whether with shift.
fn key(c: char) -> Option<(KeyCode, bool)> {
    ROWS.iter().find_map(|(first, plain, shifted)| {
        let at = |row: &str| row.chars().position(|other| other == c).and_then(|at| u16::try_from(at).ok());
        at(plain)
            .map(|at| (at, false))
            .or_else(|| at(shifted).map(|at| (at, true)))
            .map(|(at, shift)| (KeyCode(first.0 + at), shift))
    })
}
