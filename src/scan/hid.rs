//! A scan engine that is a keyboard. It is grabbed, so that nothing else sees its keys, and its keys are read by where they are on a US
//! keyboard, which is how engines leave their factory: the computer's own layout does not matter.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use evdev::raw_stream::RawDevice;
use evdev::{EventSummary, InputEvent, KeyCode, SynchronizationCode};

use super::Engine;
use super::line::Line;

pub(super) struct Keyboard {
    device: RawDevice,
    keys: Keys,
}

impl Keyboard {
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        let mut device = RawDevice::open(path)?;
        device.grab()?;
        Ok(Self { device, keys: Keys::default() })
    }
}

impl AsFd for Keyboard {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }
}

impl Engine for Keyboard {
    fn read(&mut self, line: &mut Line, whole: &mut dyn FnMut(String)) -> std::io::Result<()> {
        let keys = &mut self.keys;
        self.device.fetch_events()?.filter_map(|event| keys.event(event, line)).for_each(whole);
        Ok(())
    }
}

/// Which keys that change others are down.
#[derive(Debug, Default)]
struct Keys {
    left_shift: bool,
    right_shift: bool,
    /// What a keyboard had before it was opened is not known; codes are read whichever it was.
    caps: bool,
}

impl Keys {
    fn event(&mut self, event: InputEvent, line: &mut Line) -> Option<String> {
        match event.destructure() {
            EventSummary::Key(_, key, value) => self.key(key, value, line).map(upper),
            // The kernel has lost some: neither the text nor the shift key can be relied on.
            EventSummary::Synchronization(_, SynchronizationCode::SYN_DROPPED, _) => {
                *self = Self { caps: self.caps, ..Self::default() };
                tracing::warn!(
                    "a scan engine typed faster than this computer could listen; the code was lost, scan it again"
                );
                line.lose();
                None
            }
            _ => None,
        }
    }

    /// `value` is 1 for down, 0 for up, 2 for a key that repeats.
    fn key(&mut self, key: KeyCode, value: i32, line: &mut Line) -> Option<String> {
        match key {
            KeyCode::KEY_LEFTSHIFT => self.left_shift = value != 0,
            KeyCode::KEY_RIGHTSHIFT => self.right_shift = value != 0,
            KeyCode::KEY_CAPSLOCK if value == 1 => self.caps = !self.caps,
            _ if value == 1 => {
                let (plain, shifted) = us(key)?;
                let shift = self.left_shift || self.right_shift;
                let shift = if plain.is_ascii_lowercase() { shift != self.caps } else { shift };
                return line.push(if shift { shifted } else { plain });
            }
            _ => {}
        }
        None
    }
}

/// Our codes have no small letters: those of a keyboard whose caps lock was on are large ones.
fn upper(text: String) -> String {
    if text.get(..4).is_some_and(|prefix| prefix == "tg1:") { text.to_ascii_uppercase() } else { text }
}

/// What a key gives on a US keyboard, alone and with shift.
fn us(key: KeyCode) -> Option<(char, char)> {
    const ROWS: [(KeyCode, &str, &str); 4] = [
        (KeyCode::KEY_1, "1234567890-=", "!@#$%^&*()_+"),
        (KeyCode::KEY_Q, "qwertyuiop[]", "QWERTYUIOP{}"),
        (KeyCode::KEY_A, "asdfghjkl;'`", "ASDFGHJKL:\"~"),
        (KeyCode::KEY_BACKSLASH, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    ];
    // The numbers along a row follow each other.
    for (first, plain, shifted) in ROWS {
        let at = key.0.wrapping_sub(first.0).into();
        if let Some(both) = plain.chars().nth(at).zip(shifted.chars().nth(at)) {
            return Some(both);
        }
    }
    let one = match key {
        KeyCode::KEY_SPACE => ' ',
        KeyCode::KEY_TAB => '\t',
        KeyCode::KEY_ENTER | KeyCode::KEY_KPENTER => '\n',
        KeyCode::KEY_KP0 => '0',
        KeyCode::KEY_KP1 => '1',
        KeyCode::KEY_KP2 => '2',
        KeyCode::KEY_KP3 => '3',
        KeyCode::KEY_KP4 => '4',
        KeyCode::KEY_KP5 => '5',
        KeyCode::KEY_KP6 => '6',
        KeyCode::KEY_KP7 => '7',
        KeyCode::KEY_KP8 => '8',
        KeyCode::KEY_KP9 => '9',
        KeyCode::KEY_KPDOT => '.',
        KeyCode::KEY_KPSLASH => '/',
        KeyCode::KEY_KPASTERISK => '*',
        KeyCode::KEY_KPMINUS => '-',
        KeyCode::KEY_KPPLUS => '+',
        _ => return None,
    };
    Some((one, one))
}

#[cfg(test)]
mod tests {
    use evdev::EventType;

    use super::*;

    fn event(kind: EventType, code: u16, value: i32) -> InputEvent {
        InputEvent::new(kind.0, code, value)
    }

    fn press(key: KeyCode) -> Vec<InputEvent> {
        let sync = event(EventType::SYNCHRONIZATION, 0, 0);
        vec![event(EventType::KEY, key.0, 1), sync, event(EventType::KEY, key.0, 0), sync]
    }

    /// What an engine types for a text: shift around what needs it.
    fn typed(text: &str) -> Vec<InputEvent> {
        let all: Vec<KeyCode> = (1..128).map(KeyCode).collect();
        let mut events = Vec::new();
        for c in text.chars() {
            let (key, shifted) = all
                .iter()
                .filter_map(|key| us(*key).map(|both| (*key, both)))
                .find_map(|(key, (plain, shifted))| match c {
                    c if c == plain => Some((key, false)),
                    c if c == shifted => Some((key, true)),
                    _ => None,
                })
                .unwrap();
            let shift = |value| event(EventType::KEY, KeyCode::KEY_LEFTSHIFT.0, value);
            events.extend(shifted.then(|| shift(1)));
            events.extend(press(key));
            events.extend(shifted.then(|| shift(0)));
        }
        events
    }

    fn read(events: &[InputEvent]) -> Vec<String> {
        let (mut keys, mut line) = (Keys::default(), Line::default());
        events.iter().filter_map(|event| keys.event(*event, &mut line)).collect()
    }

    #[test]
    fn everything_a_code_may_hold_is_read_as_it_was_typed() {
        let texts = [
            "TG1:ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
            "https://pay.example/a?b=c&d=[e]{f}|g_h-i~j`k",
            "WIFI:S:my net;T:WPA2;P:\"a'b\\c\";!@#$%^&*()+<>,.",
        ];
        for text in texts {
            assert_eq!(read(&typed(&format!("{text}\n"))), [text]);
        }
    }

    #[test]
    fn a_keyboard_whose_caps_lock_is_on_reads_our_codes_all_the_same() {
        let caps = press(KeyCode::KEY_CAPSLOCK);
        // It turns on while the engine is open: letters without shift are large ones.
        assert_eq!(read(&[caps.clone(), typed("tg1:ab\n")].concat()), ["TG1:AB"]);
        // It was on before: what arrives is the other case, and nobody can know.
        assert_eq!(read(&typed("tg1:ab\n")), ["TG1:AB"]);
        assert_eq!(read(&[caps.clone(), caps, typed("TG1:AB\n")].concat()), ["TG1:AB"]);
    }

    #[test]
    fn keys_that_repeat_or_mean_nothing_are_passed_over_and_the_number_pad_counts() {
        let mut events = typed("TG");
        events.insert(1, event(EventType::KEY, KeyCode::KEY_T.0, 2));
        events.extend(press(KeyCode::KEY_LEFTCTRL));
        events.extend(press(KeyCode::KEY_KP1));
        events.extend(press(KeyCode::KEY_F5));
        events.extend(press(KeyCode::KEY_KPENTER));
        assert_eq!(read(&events), ["TG1"]);
    }

    #[test]
    fn a_text_of_which_the_kernel_lost_a_part_is_no_text() {
        let dropped = event(EventType::SYNCHRONIZATION, SynchronizationCode::SYN_DROPPED.0, 0);
        let mut events = typed("TG1:A");
        events.push(event(EventType::KEY, KeyCode::KEY_LEFTSHIFT.0, 1));
        events.push(dropped);
        events.extend(typed("\ntg1:b\n"));
        assert_eq!(read(&events), ["TG1:B"], "and shift is not down for ever");
    }
}
