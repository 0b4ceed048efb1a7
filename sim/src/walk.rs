//! One visitor from the empty gate to the empty gate: three seconds of scenes for one code.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::plane::{mix, real, smooth};
use crate::scene::{Glare, Motion, Scene};
use crate::surface::Surface;

/// Frames a second that a walk is made for.
pub const FPS: usize = 15;

/// What the visitor is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Nobody is there.
    Empty,
    /// The phone comes up and nearer.
    Approach,
    /// It is held in front of the camera, as still as a hand holds it.
    Hold,
    /// It goes down again.
    Leave,
}

const EMPTY: usize = 7;
const APPROACH: usize = 10;
const HOLD: usize = 21;
const LEAVE: usize = 7;

/// How far the visitor comes in: the face stays beside the phone.
const BESIDE: f32 = 0.76;

/// The scenes of one visit, the same for the same seed.
#[derive(Debug, Clone)]
pub struct Walk {
    near: f32,
    tilt: [f32; 2],
    rotation: f32,
    place: [f32; 2],
    shake: [f32; 4],
    glare: [f32; 2],
    seed: u64,
}

impl Walk {
    /// Frames from the empty gate to the empty gate.
    pub const FRAMES: usize = EMPTY + APPROACH + HOLD + LEAVE;

    /// A visit to show this surface: a dense code is held nearer, as people learn to do.
    pub fn new(surface: &Surface, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut between = |low: f32, high: f32| low + (high - low) * random.random::<f32>();
        Self {
            near: (8.5 * real(surface.modules())).clamp(270.0, 490.0) * between(0.97, 1.05),
            tilt: [between(-2.0, 8.0), between(-8.0, 8.0)],
            rotation: between(-6.0, 6.0),
            place: [between(0.45, 0.55), between(0.46, 0.5)],
            shake: [between(0.0, 6.0), between(0.0, 6.0), between(0.0, 6.0), between(0.0, 6.0)],
            glare: [between(-0.7, 0.7), between(-0.9, -0.6)],
            seed,
        }
    }

    /// What the visitor is doing in this frame.
    pub fn phase(frame: usize) -> Phase {
        match frame {
            f if f < EMPTY => Phase::Empty,
            f if f < EMPTY + APPROACH => Phase::Approach,
            f if f < EMPTY + APPROACH + HOLD => Phase::Hold,
            f if f < Self::FRAMES => Phase::Leave,
            _ => Phase::Empty,
        }
    }

    /// Whether the code is in view in this frame, and how it stands there.
    pub fn scene(&self, frame: usize) -> (Phase, Scene) {
        let phase = Self::phase(frame);
        // The phone comes quickly and settles: most of the way is done in the first half of the approach.
        let (arrived, speed) = match phase {
            Phase::Empty => (0.0, 0.0),
            Phase::Approach => {
                let left = 1.0 - real(frame + 1 - EMPTY) / real(APPROACH);
                (1.0 - left * left * left, 3.0 * left * left / real(APPROACH))
            }
            Phase::Hold => (1.0, 0.0),
            Phase::Leave => {
                let t = real(frame + 1 - EMPTY - APPROACH - HOLD) / real(LEAVE);
                (1.0 - t * t, 2.0 * t / real(LEAVE))
            }
        };
        let t = real(frame) / real(FPS);
        let hand =
            |i: usize, beat: f32| (t * beat + self.shake[i]).sin() + 0.4 * (t * beat * 2.7 + self.shake[3 - i]).sin();
        let visitor = match phase {
            Phase::Empty => 0.0,
            Phase::Approach => BESIDE * smooth(real(frame + 3 - EMPTY) / 8.0),
            Phase::Hold => BESIDE,
            Phase::Leave => BESIDE - BESIDE * smooth(real(frame - (Self::FRAMES - LEAVE)) / real(LEAVE)),
        };
        let scene = Scene {
            code_side: self.near * mix(0.55, 1.0, arrived) * (1.0 + 0.006 * hand(0, 4.1)),
            centre: [
                mix(self.place[0] + 0.1, self.place[0], arrived) + 0.004 * hand(1, 5.3),
                mix(1.35, self.place[1], arrived) + 0.006 * hand(2, 4.7),
            ],
            rotation: self.rotation + mix(14.0, 0.0, arrived) + 0.8 * hand(3, 3.7),
            tilt: [mix(-16.0, self.tilt[0], arrived) + 0.7 * hand(1, 4.4), self.tilt[1] + 0.7 * hand(0, 3.9)],
            visitor,
            blur: mix(1.3, 0.8, arrived),
            // The shutter is open for a third of a frame.
            motion: Motion { length: (speed * 720.0 * 0.9 / 3.0 + 0.5).min(30.0), direction: 97.0 },
            glare: Glare { spot: 46.0, at: self.glare, size: 0.2, reflection: 9.0 },
            seed: self.seed.wrapping_mul(1009).wrapping_add(frame as u64),
            ..Scene::default()
        };
        (phase, scene)
    }
}
