//! Every disturbance at random strengths: what a gate sees on a good day, on a usual one, and on the worst.

use super::Sample;
use super::draw::Draw;
use super::factor::Factor;
use super::shot::{SMALL, Shot};
use crate::medium::{Medium, Tone};
use crate::scene::Scene;

/// How bad the day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mix {
    /// Mild disturbances.
    Easy,
    /// Several moderate ones.
    Medium,
    /// Several strong ones.
    Hard,
}

/// What there is a little of in every frame.
const ALWAYS: [Factor; 7] = [
    Factor::Distance,
    Factor::Tilt,
    Factor::Blur,
    Factor::Motion,
    Factor::Noise,
    Factor::Glare,
    Factor::RollingShutter,
];

/// What may befall a frame in earnest, the usual ones more than once.
const TROUBLES: [Factor; 21] = [
    Factor::Distance,
    Factor::Distance,
    Factor::Tilt,
    Factor::Tilt,
    Factor::Rotation,
    Factor::Blur,
    Factor::Blur,
    Factor::Motion,
    Factor::Motion,
    Factor::Noise,
    Factor::Moire,
    Factor::Glare,
    Factor::Dark,
    Factor::Bright,
    Factor::Cracks,
    Factor::Occlusion,
    Factor::Jpeg,
    Factor::Distortion,
    Factor::Pwm,
    Factor::Crease,
    Factor::QuietZone,
];

/// Strengths of a day, 0 harmless to 1 the worst.
struct Day {
    /// Up to this of what is always there.
    calm: f32,
    /// How many troubles, at least and at most.
    troubles: [usize; 2],
    /// How strong they are.
    strength: [f32; 2],
    /// Frames of phones in dark mode.
    dark_mode: f32,
}

impl Mix {
    /// From easy to hard.
    pub const ALL: [Self; 3] = [Self::Easy, Self::Medium, Self::Hard];

    /// Short, for reports and command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Easy => "easy",
            Self::Medium => "medium",
            Self::Hard => "hard",
        }
    }

    /// Calibrated with decoders that exist: see the README.
    fn day(self) -> Day {
        match self {
            Self::Easy => Day { calm: 0.3, troubles: [0, 2], strength: [0.2, 0.5], dark_mode: 0.08 },
            Self::Medium => Day { calm: 0.35, troubles: [2, 3], strength: [0.32, 0.6], dark_mode: 0.12 },
            Self::Hard => Day { calm: 0.45, troubles: [3, 4], strength: [0.44, 0.81], dark_mode: 0.15 },
        }
    }

    /// One frame.
    pub fn sample(self, seed: u64, index: u64) -> Sample {
        let (shot, what, _) = self.shot(seed, index);
        shot.sample(what)
    }

    /// Six consecutive frames, 15 a second, of one code in a hand that shakes: noise, motion, glare, bands and place
    /// change from frame to frame, the code stays the same. The first is the frame that [`Mix::sample`] gives.
    pub fn sequence(self, seed: u64, index: u64) -> Vec<Sample> {
        let (shot, what, mut draw) = self.shot(seed, index);
        let film = shot.film();
        let mut scene = shot.scene.clone();
        (0..6)
            .map(|frame| {
                if frame > 0 {
                    shake(&mut scene, &shot, &mut draw);
                }
                Sample { frame: film(&scene), texts: vec![shot.text.clone()], what: what.clone() }
            })
            .collect()
    }

    fn shot(self, seed: u64, index: u64) -> (Shot, String, Draw) {
        let mut source = Draw::new(0x0001_1000 + self as u64, seed, index);
        let draw = &mut source;
        let day = self.day();
        let medium = if draw.chance(0.15) { Medium::Paper } else { Medium::Phone };
        let text = draw.shown_on(medium);
        let mut shot = Shot::of(draw, medium, text);
        if draw.chance(0.15) {
            shot.size = SMALL;
        }
        if medium == Medium::Phone && draw.chance(day.dark_mode) {
            shot.tone = Tone::Dark;
        }
        shot.scene.rotation = draw.between(-12.0, 12.0);
        shot.scene.centre = [draw.between(0.3, 0.7), draw.between(0.35, 0.62)];
        let mut strengths: Vec<(Factor, f32)> =
            ALWAYS.iter().map(|factor| (*factor, draw.between(0.0, day.calm))).collect();
        let mut troubles = day.troubles[0] + draw.below(day.troubles[1] - day.troubles[0] + 1);
        while troubles > 0 {
            let trouble = draw.pick(&TROUBLES);
            if !trouble.befalls(medium) {
                continue;
            }
            let strength = draw.between(day.strength[0], day.strength[1]);
            match strengths.iter_mut().find(|(factor, _)| *factor == trouble) {
                Some((_, mild)) if *mild >= strength => {}
                Some((_, mild)) => *mild = strength,
                None => strengths.push((trouble, strength)),
            }
            troubles -= 1;
        }
        let mut what = vec![format!("{medium:?} {:?}", shot.tone).to_lowercase()];
        for (factor, strength) in strengths {
            let level = factor.level(strength);
            factor.turn_up(&mut shot, level, draw);
            if strength > 0.25 {
                what.push(format!("{} {level:.2}", factor.name()));
            }
        }
        shot.keep_in_view();
        (shot, what.join(", "), source)
    }
}

/// The next frame of the same hand.
fn shake(scene: &mut Scene, shot: &Shot, draw: &mut Draw) {
    let base = &shot.scene;
    scene.seed = draw.seed();
    scene.motion.length = base.motion.length * draw.between(0.1, 1.7);
    scene.motion.direction = base.motion.direction + draw.between(-70.0, 70.0);
    // The lens hunts for focus, and the sensor for the right time.
    scene.blur = base.blur * draw.between(0.7, 1.2);
    scene.light = base.light * draw.between(0.85, 1.15);
    scene.noise = base.noise * draw.between(0.85, 1.15);
    for i in 0..2 {
        // A tremble: the hand does not wander off.
        scene.centre[i] = base.centre[i] + draw.between(-0.012, 0.012);
        scene.tilt[i] = base.tilt[i] + draw.between(-5.0, 5.0);
        scene.glare.at[i] = base.glare.at[i] + draw.between(-0.2, 0.2);
    }
    scene.rotation = base.rotation + draw.between(-2.0, 2.0);
    scene.code_side = base.code_side * draw.between(0.97, 1.03);
    scene.pwm.phase = (scene.pwm.phase + 0.37).fract();
    scene.shutter.skew = base.shutter.skew * draw.between(-1.0, 1.0);
}
