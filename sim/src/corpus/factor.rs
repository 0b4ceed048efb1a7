//! One disturbance at a time, from harmless to hopeless, on a frame that is easy otherwise.

use super::Sample;
use super::draw::{Draw, LIVE};
use super::shot::Shot;
use crate::medium::{Medium, Tone};
use crate::plane::{level as grey, mix, pixel};
use crate::scene::{Cracks, Fold, Glare, Occlusion, Pwm, Shutter};

/// What is turned up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Factor {
    /// Farther away: the side of the code falls.
    Distance,
    /// Held at an angle.
    Tilt,
    /// Turned in the plane of the frame.
    Rotation,
    /// Out of focus.
    Blur,
    /// Moved while the shutter is open.
    Motion,
    /// Noise of the sensor.
    Noise,
    /// The screen's pixels beat with the camera's.
    Moire,
    /// A lamp's spot on the glass, within the code.
    Glare,
    /// A dimmed screen: brightness falls.
    Dark,
    /// A screen too bright for the camera: white runs over.
    Bright,
    /// Broken glass.
    Cracks,
    /// A finger or a sticker over the code's edge.
    Occlusion,
    /// JPEG of falling quality.
    Jpeg,
    /// A cheap lens, a barrel.
    Distortion,
    /// Dark bands of a switched screen.
    Pwm,
    /// Movement while the rows are read.
    RollingShutter,
    /// Dark mode: a light code on a dark page.
    Inverted,
    /// Creased and bent paper.
    Crease,
    /// Too little quiet zone.
    QuietZone,
}

struct Scale {
    name: &'static str,
    unit: &'static str,
    levels: &'static [f32],
    worst: f32,
}

impl Factor {
    /// Every one.
    pub const ALL: [Self; 19] = [
        Self::Distance,
        Self::Tilt,
        Self::Rotation,
        Self::Blur,
        Self::Motion,
        Self::Noise,
        Self::Moire,
        Self::Glare,
        Self::Dark,
        Self::Bright,
        Self::Cracks,
        Self::Occlusion,
        Self::Jpeg,
        Self::Distortion,
        Self::Pwm,
        Self::RollingShutter,
        Self::Inverted,
        Self::Crease,
        Self::QuietZone,
    ];

    /// Short and unique, for reports and command lines.
    pub fn name(self) -> &'static str {
        self.scale().name
    }

    /// What its levels are measured in.
    pub fn unit(self) -> &'static str {
        self.scale().unit
    }

    /// From harmless to hopeless.
    pub fn levels(self) -> &'static [f32] {
        self.scale().levels
    }

    /// This one at a level, all else as in an easy frame without disturbance.
    pub fn sample(self, level: f32, seed: u64, index: u64) -> Sample {
        let draw = &mut Draw::new(0x0FAC_0000 + self as u64, seed, index);
        let medium = if self == Self::Crease { Medium::Paper } else { Medium::Phone };
        let text = draw.ours(LIVE);
        let shot = &mut Shot::of(draw, medium, text);
        if self == Self::Jpeg {
            // Larger modules than its blocks would survive anything.
            shot.scene.code_side = 125.0;
        }
        if self == Self::Distortion {
            // In the middle of the frame every lens is good.
            shot.scene.centre = [draw.either(0.22, 0.27) + 0.5, draw.either(0.1, 0.2) + 0.5];
        }
        self.turn_up(shot, level, draw);
        shot.keep_in_view();
        shot.sample(format!("{} {level}", self.name()))
    }

    /// The level at a strength from 0, harmless, to 1, the worst that a gate must be ready to see.
    pub(super) fn level(self, strength: f32) -> f32 {
        let Scale { levels, worst, .. } = self.scale();
        match self {
            // Light is felt by its ratio.
            Self::Dark | Self::Bright => levels[0] * (worst / levels[0]).powf(strength),
            _ => mix(levels[0], worst, strength),
        }
    }

    /// Whether a thing of this medium can have it.
    pub(super) fn befalls(self, medium: Medium) -> bool {
        match self {
            Self::Moire | Self::Bright | Self::Cracks | Self::Pwm | Self::Inverted => medium == Medium::Phone,
            Self::Crease => medium == Medium::Paper,
            _ => true,
        }
    }

    /// Sweep levels go past what the best readers can do; the worst of a mix stays before that.
    fn scale(self) -> Scale {
        let scale = |name, unit, levels, worst| Scale { name, unit, levels, worst };
        match self {
            Self::Distance => scale(
                "distance",
                "side of the code, px",
                &[330.0, 240.0, 200.0, 160.0, 120.0, 100.0, 80.0, 65.0, 50.0, 40.0],
                130.0,
            ),
            Self::Tilt => scale("tilt", "degrees", &[0.0, 15.0, 30.0, 40.0, 50.0, 55.0, 60.0, 65.0, 70.0, 75.0], 55.0),
            Self::Rotation => scale("rotation", "degrees", &[0.0, 10.0, 25.0, 45.0, 60.0, 90.0, 135.0, 180.0], 180.0),
            Self::Blur => scale("blur", "sigma, modules", &[0.1, 0.2, 0.3, 0.35, 0.45, 0.55, 0.65, 0.8], 0.55),
            Self::Motion => scale("motion", "length, modules", &[0.0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.7, 2.0, 2.5], 1.5),
            Self::Noise => scale(
                "noise",
                "standard deviation, grey levels",
                &[2.0, 8.0, 16.0, 24.0, 36.0, 48.0, 60.0, 80.0, 110.0],
                44.0,
            ),
            Self::Moire => scale("moire", "depth, share", &[0.0, 0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0], 0.6),
            Self::Glare => {
                scale("glare", "grey levels", &[0.0, 60.0, 120.0, 200.0, 300.0, 450.0, 700.0, 1000.0], 350.0)
            }
            Self::Dark => scale("dark", "light, share", &[1.0, 0.5, 0.25, 0.15, 0.12, 0.1, 0.08, 0.05, 0.03], 0.12),
            Self::Bright => scale("bright", "light, times", &[1.0, 2.0, 4.0, 6.0, 7.5, 8.5, 9.2, 10.0], 4.5),
            Self::Cracks => scale("cracks", "lines", &[0.0, 1.0, 2.0, 4.0, 6.0, 8.0, 12.0, 16.0], 6.0),
            Self::Occlusion => scale(
                "occlusion",
                "share of the side",
                &[0.0, 0.02, 0.04, 0.06, 0.1, 0.16, 0.25, 0.35, 0.5, 0.65],
                0.07,
            ),
            Self::Jpeg => scale("jpeg", "quality", &[95.0, 60.0, 35.0, 20.0, 12.0, 8.0, 5.0, 3.0, 1.0], 10.0),
            Self::Distortion => scale("distortion", "k1", &[0.0, -0.03, -0.06, -0.1, -0.14, -0.2, -0.3, -0.45], -0.16),
            Self::Pwm => scale("pwm", "depth, share", &[0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97], 0.7),
            Self::RollingShutter => scale(
                "rolling-shutter",
                "skew, px a frame",
                &[0.0, 40.0, 90.0, 160.0, 210.0, 260.0, 400.0, 600.0],
                180.0,
            ),
            Self::Inverted => scale("inverted", "share of frames", &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0], 1.0),
            Self::Crease => scale("crease", "mm", &[0.0, 0.3, 0.6, 1.0, 1.5, 2.2, 3.0, 4.0], 1.8),
            Self::QuietZone => scale("quiet-zone", "modules", &[4.0, 3.0, 2.0, 1.5, 1.0, 0.5, 0.0], 0.5),
        }
    }

    /// Does it to a shot. Distance goes first: others are measured in modules.
    pub(super) fn turn_up(self, shot: &mut Shot, level: f32, draw: &mut Draw) {
        let module = shot.module();
        let scene = &mut shot.scene;
        match self {
            Self::Distance => scene.code_side = level,
            // The top of the phone leans to the camera, or one side does.
            Self::Tilt => {
                let sideways = if draw.chance(0.5) { level } else { -level };
                if draw.chance(0.5) {
                    scene.tilt[0] = level;
                } else {
                    scene.tilt[1] = sideways;
                }
            }
            Self::Rotation => scene.rotation = if draw.chance(0.5) { level } else { -level },
            Self::Blur => shot.blur(level),
            Self::Motion => shot.motion(level, draw.between(0.0, 180.0)),
            Self::Noise => scene.noise = level,
            Self::Moire => shot.moire(level, 2.0, draw.either(6.0, 40.0)),
            Self::Glare => {
                let at = [draw.between(-0.35, 0.35), draw.between(-0.35, 0.35)];
                scene.glare = Glare { spot: level, at, size: draw.between(0.12, 0.2), reflection: 0.0 };
            }
            Self::Dark => scene.light = level,
            Self::Bright => {
                // White runs over from module to module, and more of it the softer the lens.
                scene.light = level;
                scene.blur = scene.blur.max(0.05 * level.min(3.0) * module);
            }
            Self::Cracks => scene.cracks = Cracks { lines: pixel(level + 0.5), seed: draw.seed() },
            Self::Occlusion => scene.occlusion = Occlusion { share: level, seed: draw.seed() },
            Self::Jpeg => scene.jpeg = Some(grey(level)),
            Self::Distortion => scene.distortion = level,
            Self::Pwm => scene.pwm = Pwm { depth: level, bands: draw.between(3.0, 7.0), phase: draw.between(0.0, 1.0) },
            Self::RollingShutter => {
                let skew = if draw.chance(0.5) { level } else { -level };
                scene.shutter = Shutter { skew, wobble: level / 60.0, beats: draw.between(1.5, 4.0) };
            }
            Self::Inverted => {
                if draw.chance(level) {
                    shot.tone = Tone::Dark;
                }
            }
            Self::Crease => {
                scene.fold = Fold { depth: level, bend: draw.either(0.6, 1.2) * level, seed: draw.seed() };
            }
            Self::QuietZone => {
                shot.quiet = (level < 4.0).then_some(pixel(level * 2.0));
            }
        }
    }
}
