//! What keeps a code from being read, for the person who holds it: one hint at a time, and only once it is not a moment's
//! doing.

use std::time::{Duration, Instant};

use crate::decode::Hints;
use crate::lang::Text;

/// So long a fault must last before anybody is told: a hand that moves blurs every code for a moment.
const PATIENCE: Duration = Duration::from_millis(700);
/// So long a hint stands after its cause was seen last, so that it can be read.
const STANDS: Duration = Duration::from_millis(1500);

/// Why a code in view is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    CutOff,
    TooFar,
    TooNear,
    Glare,
    Dark,
    Dim,
    Blurred,
    Several,
}

impl Fault {
    /// What is wrong with a code of which the finders are there; the surest first.
    fn of(hints: &Hints, (width, height): (usize, usize)) -> Option<Self> {
        let frame = width.min(height) as f32;
        // One finder alone is as likely a tile on the wall.
        if hints.finders < 2 {
            return None;
        }
        Some(match () {
            () if hints.module > frame / 30.0 => Self::TooNear,
            () if hints.cut_off.contains(&true) => Self::CutOff,
            () if hints.glare > 0.15 => Self::Glare,
            () if hints.contrast < 40.0 && hints.brightness < 40.0 => Self::Dark,
            () if hints.contrast < 40.0 => Self::Dim,
            () if hints.module < 2.0 => Self::TooFar,
            () if hints.sharpness < 0.4 => Self::Blurred,
            () if hints.finders > 3 => Self::Several,
            () => return None,
        })
    }

    fn words(self) -> Text {
        match self {
            Self::CutOff => {
                Text::new("二维码没有照全，请移到画面中间", "Part of the code is cut off: move it to the middle")
            }
            Self::TooFar => Text::new("太远了，请靠近一点", "Too far: come closer"),
            Self::TooNear => Text::new("太近了，请拿远一点", "Too near: hold it further away"),
            Self::Glare => Text::new("有反光，请把屏幕斜一点", "Glare: tilt the screen a little"),
            Self::Dark => Text::new("太暗了，请移到亮处", "Too dark: move into the light"),
            Self::Dim => Text::new("屏幕太暗，请调高亮度", "The screen is dim: turn its brightness up"),
            Self::Blurred => Text::new("看不清，请拿稳不要动", "Blurred: hold still"),
            Self::Several => Text::new("请一次只出示一个码", "Show one code only"),
        }
    }
}

/// Turns what each frame shows into a hint that stands still.
#[derive(Debug, Default)]
pub(super) struct Coach {
    /// The fault of late, since when and until when it was seen.
    fault: Option<(Fault, Instant, Instant)>,
    shown: Option<Fault>,
}

impl Coach {
    /// Another frame, of this size, with codes that were read or with hints why none was. The new hint if it has changed.
    pub(super) fn see(
        &mut self,
        read: bool,
        hints: &Hints,
        size: (usize, usize),
        now: Instant,
    ) -> Option<Option<Text>> {
        let fault = if read { None } else { Fault::of(hints, size) };
        self.fault = match (self.fault, fault) {
            _ if read => None,
            (Some((known, since, _)), Some(fault)) if known == fault => Some((known, since, now)),
            (Some((_, _, last)), Some(fault)) if now - last > STANDS => Some((fault, now, now)),
            (None, Some(fault)) => Some((fault, now, now)),
            // Another one, but the first may be back with the next frame.
            (Some((known, since, last)), Some(fault)) => {
                if now - last > PATIENCE {
                    Some((fault, now, now))
                } else {
                    Some((known, since, last))
                }
            }
            (Some((_, _, last)), None) if now - last > STANDS => None,
            (known, None) => known,
        };
        let shown = self.fault.filter(|(_, since, last)| *last - *since >= PATIENCE).map(|(fault, ..)| fault);
        let changed = shown != self.shown;
        self.shown = shown;
        changed.then(|| shown.map(Fault::words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (1280, 720);

    fn good() -> Hints {
        Hints {
            finders: 3,
            module: 6.0,
            sharpness: 0.9,
            glare: 0.0,
            brightness: 120.0,
            contrast: 150.0,
            around: None,
            cut_off: [false; 4],
        }
    }

    #[test]
    fn each_fault_has_its_hint_and_a_good_picture_none() {
        let fault = |change: &dyn Fn(&mut Hints)| {
            let mut hints = good();
            change(&mut hints);
            Fault::of(&hints, SIZE)
        };
        assert_eq!(fault(&|_| {}), None);
        assert_eq!(fault(&|h| h.finders = 1), None);
        assert_eq!(fault(&|h| h.module = 1.5), Some(Fault::TooFar));
        assert_eq!(fault(&|h| h.module = 30.0), Some(Fault::TooNear));
        assert_eq!(fault(&|h| h.cut_off[2] = true), Some(Fault::CutOff));
        assert_eq!(fault(&|h| h.glare = 0.3), Some(Fault::Glare));
        assert_eq!(fault(&|h| h.contrast = 20.0), Some(Fault::Dim));
        assert_eq!(fault(&|h| (h.contrast, h.brightness) = (20.0, 20.0)), Some(Fault::Dark));
        assert_eq!(fault(&|h| h.sharpness = 0.2), Some(Fault::Blurred));
        assert_eq!(fault(&|h| h.finders = 6), Some(Fault::Several));
    }

    #[test]
    fn a_hint_comes_after_a_while_stands_still_and_goes_when_the_code_is_read() {
        let (mut coach, start) = (Coach::default(), Instant::now());
        let far = Hints { module: 1.5, ..good() };
        let blurred = Hints { sharpness: 0.2, ..good() };
        let mut see = |ms: u64, read: bool, hints: &Hints| {
            coach.see(read, hints, SIZE, start + Duration::from_millis(ms)).map(|text| text.map(|t| t.en))
        };
        assert_eq!(see(0, false, &far), None);
        assert_eq!(see(600, false, &far), None, "a moment is nothing");
        assert_eq!(see(700, false, &far), Some(Some("Too far: come closer".into())));
        assert_eq!(see(800, false, &blurred), None, "one frame of another fault changes nothing");
        assert_eq!(see(900, false, &far), None);
        assert_eq!(see(1700, false, &good()), None, "it stands long enough to be read");
        assert_eq!(see(2500, false, &good()), Some(None));
        assert_eq!(see(3000, false, &far), None);
        assert_eq!(see(3800, false, &far), Some(Some("Too far: come closer".into())));
        assert_eq!(see(3900, true, &far), Some(None), "read: nothing is wrong");
    }
}
