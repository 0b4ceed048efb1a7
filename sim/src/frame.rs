//! The camera: a frame is a list of stages, each of which adds one thing that happens between a code and a picture of it.

use image::GrayImage;

use crate::backdrop::Backdrop;
use crate::optics::{self, Noise};
use crate::plane::{Layer, Plane, Region, level, mix, over, pack, pixel, real, stack, unpack};
use crate::scene::{Motion, Scene};
use crate::screen::Raster;
use crate::surface::{Matter, Surface};
use crate::texture::Texture;
use crate::way::Way;
use crate::{cover, glass};

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
    way: Way,
    frame: Plane,
    /// The surface and the hand on black, until they are put in front of the backdrop: a lens that blurs the one in
    /// front does not smear what is behind it.
    front: Layer,
    /// Where they are on the frame.
    region: Region,
    /// What is before the code.
    thing: Option<Texture>,
}

type Stage = fn(&mut Exposure<'_>);

/// In the order in which it happens to the light. To simulate another disturbance, add a stage and its field in [`Scene`].
const STAGES: [Stage; 13] =
    [backdrop, surface, creases, cracks, glare, occlusion, focus, motion, shine, together, exposure, noise, jpeg];

impl Camera {
    /// A camera of this resolution at the gate this seed draws.
    pub fn new(width: u32, height: u32, seed: u64) -> Self {
        let (width, height) = (width as usize, height as usize);
        Self { backdrop: Backdrop::new(width, height, seed), noise: Noise::new(seed), width, height }
    }

    /// The frame of one moment; without a surface it is the empty gate, or a visitor who shows nothing.
    pub fn see(&self, surface: Option<&Surface>, scene: &Scene) -> GrayImage {
        let way = Way::of(scene, surface.map_or(1.0, Surface::code_mm), self.width, self.height);
        let mut exposure = Exposure {
            camera: self,
            scene,
            surface,
            way,
            frame: Plane::new(self.width, self.height, 0),
            front: Layer::new(self.width, self.height),
            region: Region { x0: 0, y0: 0, x1: 0, y1: 0 },
            thing: None,
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
    fn px_per_mm(&self, surface: &Surface) -> f32 {
        self.scene.code_side / surface.code_mm()
    }

    fn shines(&self) -> bool {
        self.surface.is_some_and(|s| s.matter() == Matter::Glass)
    }

    /// Changes the light of every point of the surface by where it is on it.
    fn relight(&mut self, change: impl Fn(usize, [f32; 2], f32) -> f32) {
        for y in self.region.y0..self.region.y1 {
            let row = self.front.row_mut(y);
            self.way.row(y, self.region.x0..self.region.x1, |x, p| {
                let [light, cover] = unpack(row[x]);
                if cover > 0 {
                    row[x] = pack(level(change(y, p, f32::from(light)).min(f32::from(cover))), cover);
                }
            });
        }
    }

    /// Multiplies what a screen shines, and not the light on the hand that holds it; of paper, everything.
    fn dim(&mut self, factor: impl Fn(usize, [f32; 2]) -> f32) {
        let screen = self.surface.and_then(|s| s.shining.clone());
        let thing = self.thing.take();
        self.relight(|y, p, light| {
            let shines = screen.as_deref().map_or(1.0, |s| s.cover(p));
            if shines == 0.0 {
                return light;
            }
            let shines = shines * (1.0 - thing.as_ref().map_or(0.0, |t| t.cover(p)));
            light * mix(1.0, factor(y, p), shines)
        });
        self.thing = thing;
    }

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
    e.region = e.way.region(&surface.page.corners());
    let px_per_mm = e.px_per_mm(surface);
    let texture = surface.page.at_scale(px_per_mm);
    for y in e.region.y0..e.region.y1 {
        let row = e.front.row_mut(y);
        e.way.row(y, e.region.x0..e.region.x1, |x, p| row[x] = texture.sample(p[0], p[1]));
    }
    for patch in &surface.patches {
        let region = e.way.region(&patch.corners());
        lay(&mut e.front, &e.way, region, patch.at_scale(px_per_mm));
        e.region = e.region.with(region);
    }
}

/// Something upon what is there already.
fn lay(front: &mut Layer, way: &Way, region: Region, texture: &Texture) {
    for y in region.y0..region.y1 {
        let row = front.row_mut(y);
        way.row(y, region.x0..region.x1, |x, p| row[x] = stack(row[x], texture.sample(p[0], p[1])));
    }
}

/// Light and shade of folded paper, and the white of the paper where a crease has rubbed off the ink.
fn creases(e: &mut Exposure<'_>) {
    let Some(relief) = e.way.relief.filter(|_| e.surface.is_some_and(|s| s.matter() == Matter::Paper)) else { return };
    e.relight(|_, p, light| {
        let [factor, worn] = relief.light(p);
        mix(light * factor, 215.0, worn)
    });
}

fn cracks(e: &mut Exposure<'_>) {
    if let Some(surface) = e.surface.filter(|s| e.scene.cracks.lines > 0 && s.matter() == Matter::Glass) {
        let screen = |p| surface.shining.as_ref().is_none_or(|s| s.cover(p) > 0.5);
        glass::crack(&mut e.front, e.region, &e.way, e.scene.cracks, surface.code_mm(), screen);
    }
}

fn occlusion(e: &mut Exposure<'_>) {
    let Some(surface) = e.surface.filter(|_| e.scene.occlusion.share > 0.0) else { return };
    let thing = cover::draw(e.scene.occlusion, surface.code_mm());
    let region = e.way.region(&thing.corners());
    lay(&mut e.front, &e.way, region, &thing);
    e.region = e.region.with(region);
    e.thing = Some(thing);
}

/// A lamp's spot and a window's slanting band, on the thing held up and on nothing else.
fn glare(e: &mut Exposure<'_>) {
    let (Some(surface), glare) = (e.surface, e.scene.glare) else { return };
    let at = glare.at.map(|v| v * surface.code_mm());
    let Some(middle) = e.way.project(at).filter(|_| glare.spot > 0.0 || glare.reflection > 0.0) else { return };
    let spread = (glare.size * e.scene.code_side).max(1.0);
    let band = e.scene.code_side * 0.35;
    for y in e.region.y0..e.region.y1 {
        // Only as far as the spot and the band reach.
        let slant = if glare.reflection > 0.0 { band + 0.6 * (real(y) - middle[1]).abs() } else { 0.0 };
        let reach = slant.max(if glare.spot > 0.0 { 3.5 * spread } else { 0.0 }) + 1.0;
        let from = pixel((middle[0] - reach).max(0.0)).max(e.region.x0);
        for x in from..pixel((middle[0] + reach).max(0.0)).min(e.region.x1) {
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

/// What a screen sends out as the camera's pixels happen to meet it: its raster, its bands, its brightness; of paper the
/// light that falls on it. After the lens, whose softness is in the raster's amplitude.
fn shine(e: &mut Exposure<'_>) {
    let (Scene { grid, pwm, light, .. }, height) = (e.scene, e.front.height);
    let raster = (grid.amplitude > 0.0 && e.shines()).then(|| Raster::new(*grid));
    let banded = pwm.depth > 0.0 && e.shines();
    if raster.is_none() && !banded && *light == 1.0 {
        return;
    }
    let rows: Vec<f32> = (0..height).map(|y| if banded { light * pwm.light(y, height) } else { *light }).collect();
    match raster {
        Some(raster) => e.dim(|y, p| rows[y] * raster.light(p)),
        None => e.dim(|y, _| rows[y]),
    }
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

/// A cheap camera's stream is compressed before anybody sees it.
fn jpeg(e: &mut Exposure<'_>) {
    if let Some(quality) = e.scene.jpeg {
        optics::jpeg(&mut e.frame, quality);
    }
}
