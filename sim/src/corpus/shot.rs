//! One frame in the making: what is shown, on what, before which gate. Strengths are given in modules of the code where a
//! decoder feels them in modules.

use image::GrayImage;

use super::Sample;
use super::draw::Draw;
use super::pool;
use crate::medium::{Medium, Tone};
use crate::patch::Print;
use crate::plane::real;
use crate::scene::{Glare, Scene};
use crate::surface::{Modules, Surface};
use crate::way::Way;

/// The usual size of a frame.
pub(super) const WIDE: [u32; 2] = [1280, 720];
/// A cheap webcam's.
pub(super) const SMALL: [u32; 2] = [640, 480];

pub(super) struct Shot {
    pub(super) size: [u32; 2],
    pub(super) medium: Medium,
    pub(super) tone: Tone,
    pub(super) text: String,
    pub(super) scene: Scene,
    /// Half modules of quiet zone, if there is less than four modules.
    pub(super) quiet: Option<usize>,
    page: u64,
    gate: u64,
    modules: Modules,
}

impl Shot {
    /// A phone before the camera as nobody could hold it better: large, straight, sharp, well lit.
    pub(super) fn of(draw: &mut Draw, medium: Medium, text: String) -> Self {
        // Texts are made here and fit; one that did not would be seen at once as a code without modules.
        let modules = Modules::of(&text).unwrap_or_default();
        let scene = Scene {
            code_side: 240.0,
            centre: [draw.between(0.42, 0.58), draw.between(0.45, 0.52)],
            rotation: draw.between(-4.0, 4.0),
            tilt: [draw.between(-4.0, 6.0), draw.between(-5.0, 5.0)],
            visitor: draw.between(0.6, 1.0),
            blur: 0.6,
            glare: Glare::default(),
            noise: 2.0,
            seed: draw.seed(),
            ..Scene::default()
        };
        let (page, gate) = (draw.seed(), draw.seed());
        Self { size: WIDE, medium, tone: Tone::Light, text, scene, quiet: None, page, gate, modules }
    }

    /// Modules along a side.
    pub(super) fn modules(&self) -> f32 {
        real(self.modules.side.max(1))
    }

    /// Pixels of a module that is not tilted.
    pub(super) fn module(&self) -> f32 {
        self.scene.code_side / self.modules()
    }

    pub(super) fn blur(&mut self, modules: f32) {
        self.scene.blur = (modules * self.module()).max(0.4);
    }

    pub(super) fn motion(&mut self, modules: f32, direction: f32) {
        self.scene.motion.length = modules * self.module();
        self.scene.motion.direction = direction;
    }

    /// The screen's pixels against the camera's: so many of theirs in one of ours, and how many pixels of the frame it
    /// takes until they have shifted by one.
    pub(super) fn moire(&mut self, amplitude: f32, ratio: f32, beat: f32) {
        self.scene.grid.amplitude = amplitude;
        self.scene.grid.pitch = self.medium.code_mm() / self.scene.code_side / (ratio + 1.0 / beat);
    }

    pub(super) fn keep_in_view(&mut self) {
        self.scene = in_view(self.scene.clone(), self.size, self.medium.code_mm());
    }

    fn surface(&self) -> Surface {
        let page = pool::page(self.medium, self.tone, self.page);
        let side = self.medium.code_mm();
        let ink = self.medium.ink(self.tone);
        let print = Print { quiet: self.quiet, ..Print::plain([0.0; 2], side, ink) };
        let patches = vec![print.draw(&self.modules)];
        Surface::laid(page, self.medium.matter(), side, self.modules.side, patches).shining(pool::shining(self.medium))
    }

    pub(super) fn take(&self) -> GrayImage {
        self.film()(&self.scene)
    }

    /// For several frames of one thing: it is drawn once.
    pub(super) fn film(&self) -> impl Fn(&Scene) -> GrayImage + use<> {
        let (surface, camera) = (self.surface(), pool::camera(self.size, self.gate));
        move |scene| camera.see(Some(&surface), scene)
    }

    pub(super) fn sample(&self, what: String) -> Sample {
        Sample { frame: self.take(), texts: vec![self.text.clone()], what }
    }
}

/// Brings a code into the frame with all its modules: towards the middle first, then farther away.
pub(super) fn in_view(mut scene: Scene, size: [u32; 2], code_mm: f32) -> Scene {
    let [width, height] = size.map(|v| v as f32);
    let half = code_mm / 2.0 * 1.04;
    for step in 0..40 {
        let way = Way::of(&scene, code_mm, size[0] as usize, size[1] as usize);
        let seen = [[-half, -half], [half, -half], [half, half], [-half, half]].iter().all(|corner| {
            let inside = |[x, y]: [f32; 2]| x > 4.0 && y > 4.0 && x < width - 4.0 && y < height - 4.0;
            way.project(*corner).is_some_and(inside)
        });
        if seen {
            break;
        }
        scene.centre = scene.centre.map(|c| 0.5 + (c - 0.5) * 0.8);
        if step > 4 {
            scene.code_side *= 0.95;
        }
    }
    scene
}
