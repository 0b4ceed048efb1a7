//! The camera: a frame is a list of stages, each of which adds one thing that happens between a code and a picture of it.

use image::GrayImage;

use crate::backdrop::{Backdrop, touched};
use crate::optics::{self, Noise, Perspective};
use crate::plane::{Layer, Plane, Region, level, over, pack, pixel, real, unpack};
use crate::scene::{Motion, Scene};
use crate::surface::Surface;

/// A camera at a gate. Making one draws the gate; after that a frame costs only what moves in it.
#[derive(Debug)]
pub struct Camera {
    backdrop: Backdrop,
    noise: Noise,
    width: usize,
    height: usize,
}

/// A frame on its way through the stages.
struct Exposure<'a> {
    camera: &'a Camera,
    scene: &'a Scene,
    surface: Option<&'a Surface>,
    perspective: Perspective,
    frame: Plane,
    /// The surface and the hand on black, until they are put in front of the backdrop: a lens that blurs the one in
    /// front does not smear what is behind it.
    front: Layer,
    /// Where they are on the frame.
    region: Region,
}

type Stage = fn(&mut Exposure<'_>);

/// In the order in which it happens to the light. To simulate another disturbance, add a stage and its field in [`Scene`].
const STAGES: [Stage; 8] = [backdrop, surface, glare, focus, motion, together, exposure, noise];

impl Camera {
    /// A camera of this resolution at the gate this seed draws.
    pub fn new(width: u32, height: u32, seed: u64) -> Self {
        let (width, height) = (width as usize, height as usize);
        Self { backdrop: Backdrop::new(width, height, seed), noise: Noise::new(seed), width, height }
    }

    /// The frame of one moment; without a surface it is the empty gate, or a visitor who shows nothing.
    pub fn see(&self, surface: Option<&Surface>, scene: &Scene) -> GrayImage {
        let perspective = Perspective::of(scene, surface.map_or(1.0, Surface::code_mm), self.width, self.height);
        let mut exposure = Exposure {
            camera: self,
            scene,
            surface,
            perspective,
            frame: Plane::new(self.width, self.height, 0),
            front: Layer::new(self.width, self.height),
            region: Region { x0: 0, y0: 0, x1: 0, y1: 0 },
        };
        for stage in STAGES {
            stage(&mut exposure);
        }
        let [width, height] = [self.width, self.height].map(|v| u32::try_from(v).unwrap_or(u32::MAX));
        GrayImage::from_raw(width, height, exposure.frame.data).unwrap_or_default()
    }
}

fn backdrop(e: &mut Exposure<'_>) {
    e.camera.backdrop.stand(&mut e.frame, e.scene.visitor, e.scene.clutter);
}

impl Exposure<'_> {
    /// The region, grown by as much as a blur reaches.
    fn blurred(&mut self, reach: f32) -> Region {
        if !self.region.is_empty() {
            self.region = self.region.grown(pixel(reach.ceil()), self.frame.width, self.frame.height);
        }
        self.region
    }
}

/// Each pixel of the frame looks up where on the surface its light comes from.
fn surface(e: &mut Exposure<'_>) {
    let Some(surface) = e.surface else { return };
    let Some(corners) = surface.corners().map(|c| e.perspective.project(c)).into_iter().collect::<Option<Vec<_>>>()
    else {
        return;
    };
    e.region = touched(&corners, e.frame.width, e.frame.height);
    let texture = surface.at_scale(e.scene.code_side / surface.code_mm());
    for y in e.region.y0..e.region.y1 {
        let ([mut u, mut v, mut w], step) = e.perspective.back(real(e.region.x0) + 0.5, real(y) + 0.5);
        for point in &mut e.front.row_mut(y)[e.region.x0..e.region.x1] {
            let near = 1.0 / w;
            *point = texture.sample(u * near, v * near);
            (u, v, w) = (u + step[0], v + step[1], w + step[2]);
        }
    }
}

/// A lamp's spot and a window's slanting band, on the thing held up and on nothing else.
fn glare(e: &mut Exposure<'_>) {
    let (Some(surface), glare) = (e.surface, e.scene.glare) else { return };
    let at = glare.at.map(|v| v * surface.code_mm());
    let Some(middle) = e.perspective.project(at).filter(|_| glare.spot > 0.0 || glare.reflection > 0.0) else { return };
    let spread = (glare.size * e.scene.code_side).max(1.0);
    let band = e.scene.code_side * 0.35;
    for y in e.region.y0..e.region.y1 {
        for x in e.region.x0..e.region.x1 {
            let (dx, dy) = (real(x) - middle[0], real(y) - middle[1]);
            let far = (dx * dx + dy * dy) / (2.0 * spread * spread);
            let spot = if far < 6.0 { glare.spot * (-far).exp() } else { 0.0 };
            let across = 1.0 - (dx + 0.6 * dy).abs() / band;
            let light = (spot + glare.reflection * across.clamp(0.0, 0.3) / 0.3) * surface.gloss();
            if light > 0.4 {
                let point = &mut e.front.data[y * e.front.width + x];
                let [was, cover] = unpack(*point);
                *point = pack(level(f32::from(was) + light * f32::from(cover) / 255.0), cover);
            }
        }
    }
}

fn focus(e: &mut Exposure<'_>) {
    let region = e.blurred(e.scene.blur * 3.0);
    optics::gaussian(&mut e.front, region, e.scene.blur);
}

fn motion(e: &mut Exposure<'_>) {
    let Motion { length, direction } = e.scene.motion;
    let region = e.blurred(length);
    optics::motion(&mut e.front, region, length, direction);
}

fn together(e: &mut Exposure<'_>) {
    for y in e.region.y0..e.region.y1 {
        let columns = e.region.x0..e.region.x1;
        let front = &e.front.row(y)[columns.clone()];
        for (value, point) in e.frame.row_mut(y)[columns].iter_mut().zip(front) {
            *value = over(*value, *point);
        }
    }
}

fn exposure(e: &mut Exposure<'_>) {
    optics::exposure(&mut e.frame, e.scene.brightness, e.scene.contrast);
}

fn noise(e: &mut Exposure<'_>) {
    e.camera.noise.add(&mut e.frame, e.scene.noise, e.scene.seed);
}
