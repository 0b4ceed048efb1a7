//! Where the code is that somebody holds up, for the corners around it on the screen. From what the decoder knows anyway.

use crate::decode::Seen;
use crate::screen::Aim;

/// The nearest code that was read; else what two finders and more may belong to: one alone is as likely a tile on the wall.
pub(super) fn at(seen: &Seen, (width, height): (u32, u32)) -> Option<Aim> {
    let code = seen.codes.first().map(|code| {
        let along = |axis: usize| code.corners.iter().map(move |corner| corner[axis]);
        let least = |axis| along(axis).fold(f32::MAX, f32::min);
        let most = |axis| along(axis).fold(f32::MIN, f32::max);
        [least(0), least(1), most(0), most(1)]
    });
    let [left, top, right, bottom] = code.or(seen.hints.around.filter(|_| seen.hints.finders >= 2))?;
    let (width, height) = (width.max(1) as f32, height.max(1) as f32);
    let share = |place: f32, of: f32| (place / of).clamp(0.0, 1.0);
    Some(Aim {
        left: share(left, width),
        top: share(top, height),
        right: share(right, width),
        bottom: share(bottom, height),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Found, Hints};

    #[test]
    fn the_nearest_code_is_aimed_at_or_what_may_become_one() {
        let found = |x: f32, y: f32| Found {
            corners: [[x, y + 10.0], [x + 90.0, y], [x + 100.0, y + 90.0], [x + 10.0, y + 100.0]],
            ..Found::default()
        };
        let aim = |left, top, right, bottom| Some(Aim { left, top, right, bottom });
        let hints = |finders, around| Hints { finders, around: Some(around), ..Hints::default() };
        let at = |codes, hints| at(&Seen { codes, hints }, (1000, 500));
        assert_eq!(at(vec![found(100.0, 200.0), found(700.0, 0.0)], Hints::default()), aim(0.1, 0.4, 0.2, 0.6));
        assert_eq!(at(vec![], hints(3, [-50.0, 100.0, 250.0, 600.0])), aim(0.0, 0.2, 0.25, 1.0));
        assert_eq!(at(vec![], hints(1, [0.0, 0.0, 100.0, 100.0])), None);
        assert_eq!(at(vec![], Hints::default()), None);
    }
}
