//! What is no phone held up to a gate, or no code at all.

use super::Sample;
use super::draw::{Draw, LIVE, PRINTED};
use super::grounds::{self, MONITOR_CODE, Wall};
use super::pool;
use super::shot::{SMALL, Shot, WIDE, in_view};
use crate::medium::{Medium, Tone};
use crate::patch::Print;
use crate::plane::real;
use crate::scene::{Fold, Glare, Grid, Motion, Occlusion, Scene};
use crate::surface::{Matter, Modules, Surface};

/// Kinds of frames with a difficulty of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Special {
    /// A photo of a code on a monitor: its pixel grid, moire, tilt, reflections, other windows around.
    Monitor,
    /// The code nearly fills the frame, and is soft.
    CloseUp,
    /// Versions 20 to 40.
    Dense,
    /// 6 to 40 different codes in one picture.
    Many,
    /// Ours, with a payment or web code beside it.
    Beside,
    /// Printed cards: creases, a bend, uneven light.
    Printed,
    /// Too far, blurred or covered: nobody is expected to read it.
    Unreadable,
    /// The gate without any code.
    Empty,
}

impl Special {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Monitor,
        Self::CloseUp,
        Self::Dense,
        Self::Many,
        Self::Beside,
        Self::Printed,
        Self::Unreadable,
        Self::Empty,
    ];

    /// Short and unique, for reports and command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::CloseUp => "close-up",
            Self::Dense => "dense",
            Self::Many => "many",
            Self::Beside => "beside",
            Self::Printed => "printed",
            Self::Unreadable => "unreadable",
            Self::Empty => "empty",
        }
    }

    /// One frame.
    pub fn sample(self, seed: u64, index: u64) -> Sample {
        let draw = &mut Draw::new(0x5BEC_0000 + self as u64, seed, index);
        match self {
            Self::Monitor => monitor(draw),
            Self::CloseUp => close_up(draw),
            Self::Dense => dense(draw),
            Self::Many => many(draw),
            Self::Beside => beside(draw),
            Self::Printed => printed(draw),
            Self::Unreadable => unreadable(draw),
            Self::Empty => empty(draw),
        }
    }
}

fn monitor(draw: &mut Draw) -> Sample {
    let text = if draw.chance(0.7) { draw.ours(LIVE) } else { draw.web() };
    let modules = Modules::of(&text).unwrap_or_default();
    let ground = grounds::monitor(draw.seed());
    let print = Print::plain([0.0; 2], MONITOR_CODE, 22.0);
    let surface = Surface::laid(ground, Matter::Glass, MONITOR_CODE, modules.side, vec![print.draw(&modules)]);
    let side = draw.between(170.0, 420.0);
    let glare = Glare {
        spot: draw.between(0.0, 60.0),
        at: [draw.between(-1.5, 1.5), draw.between(-1.0, 1.0)],
        size: draw.between(0.2, 0.5),
        reflection: draw.between(0.0, 40.0),
    };
    let scene = Scene {
        code_side: side,
        tilt: [draw.between(-25.0, 25.0), draw.between(-35.0, 35.0)],
        blur: draw.between(0.5, 0.14 * side / real(modules.side) + 0.5),
        glare,
        // The pitches of common monitors. What the lens lets through of them falls with their distance.
        grid: Grid { amplitude: draw.between(0.1, 0.42), pitch: draw.pick(&[0.233, 0.265, 0.277, 0.311]) },
        noise: draw.between(2.0, 9.0),
        jpeg: draw.chance(0.5).then(|| draw.pick(&[40, 60, 75, 90])),
        ..plain(draw)
    };
    picture(draw, &surface, scene, MONITOR_CODE, vec![text], format!("monitor, {side:.0} px"))
}

fn close_up(draw: &mut Draw) -> Sample {
    let medium = if draw.chance(0.8) { Medium::Phone } else { Medium::Paper };
    let text = draw.shown_on(medium);
    let mut shot = Shot::of(draw, medium, text);
    shot.scene.code_side = draw.between(560.0, 690.0);
    shot.scene.centre = [draw.between(0.35, 0.65), 0.5];
    shot.scene.rotation = draw.between(-5.0, 5.0);
    let blur = draw.between(0.15, 0.42);
    shot.blur(blur);
    shot.scene.noise = draw.between(2.0, 8.0);
    shot.scene.glare = Glare { spot: draw.between(0.0, 120.0), at: [0.2, -0.3], size: 0.25, reflection: 15.0 };
    shot.keep_in_view();
    shot.sample(format!("close-up, blur {blur:.2} modules"))
}

fn dense(draw: &mut Draw) -> Sample {
    // From what version 20 holds at level M to what 40 does, in signs of the alphanumeric mode.
    let length = 900 + draw.below(2400);
    let text = draw.data(length);
    let medium = if draw.chance(0.5) { Medium::Phone } else { Medium::Paper };
    let mut shot = Shot::of(draw, medium, text);
    let module = draw.between(3.0, 4.6);
    shot.scene.code_side = (module * shot.modules()).min(690.0);
    shot.scene.tilt = [draw.between(-6.0, 6.0), draw.between(-6.0, 6.0)];
    let blur = draw.between(0.08, 0.25);
    shot.blur(blur);
    shot.keep_in_view();
    let version = (shot.modules() - 17.0) / 4.0;
    let module = shot.module();
    shot.sample(format!("version {version}, module {module:.1} px, blur {blur:.2}"))
}

fn many(draw: &mut Draw) -> Sample {
    let count = 6 + draw.below(35);
    let columns = (real(count) * 1.6).sqrt().ceil();
    let rows = (real(count) / columns).ceil();
    let cell = (318.0 / columns).min(192.0 / rows);
    let (mut texts, mut patches) = (Vec::new(), Vec::new());
    for i in 0..count {
        let text = draw.tag();
        let modules = Modules::of(&text).unwrap_or_default();
        let (column, row) = (real(i) % columns, (real(i) / columns).floor());
        let middle = [
            (column + 0.5 - columns / 2.0) * cell + draw.between(-0.06, 0.06) * cell,
            (row + 0.5 - rows / 2.0) * cell + draw.between(-0.06, 0.06) * cell,
        ];
        let side = cell * draw.between(0.56, 0.66);
        patches.push(Print { ground: Some(236.0), ..Print::plain(middle, side, 30.0) }.draw(&modules));
        texts.push(text);
    }
    // Two of the same text would be one to a reader.
    texts.sort();
    texts.dedup();
    let wide = 330.0;
    let surface = Surface::laid(grounds::sheet(draw.seed()), Matter::Paper, wide, 25, patches);
    let scene = Scene {
        code_side: draw.between(1120.0, 1220.0),
        centre: [0.5, 0.5],
        tilt: [draw.between(-8.0, 8.0), draw.between(-8.0, 8.0)],
        rotation: draw.between(-2.0, 2.0),
        noise: draw.between(2.0, 6.0),
        ..plain(draw)
    };
    let frame = pool::camera(WIDE, draw.seed()).see(Some(&surface), &scene);
    Sample { frame, texts, what: format!("{count} codes") }
}

fn beside(draw: &mut Draw) -> Sample {
    let ours = draw.ours(LIVE);
    let other = if draw.chance(0.5) { draw.payment() } else { draw.web() };
    let (modules, others) = (Modules::of(&ours).unwrap_or_default(), Modules::of(&other).unwrap_or_default());
    let side = Medium::Phone.code_mm();
    let mut patches = vec![Print::plain([0.0; 2], side, Medium::Phone.ink(Tone::Light)).draw(&modules)];
    let on_the_wall = draw.chance(0.6);
    let (middle, wide) = if on_the_wall {
        // A sticker at the gate, left or right of the phone.
        ([draw.either(72.0, 84.0), draw.between(-25.0, 40.0)], draw.between(32.0, 44.0))
    } else {
        // Farther down on the same page.
        ([draw.between(-8.0, 8.0), 66.0], draw.between(24.0, 28.0))
    };
    let ground = if on_the_wall { draw.between(170.0, 235.0) } else { 236.0 };
    patches.push(Print { ground: Some(ground), ..Print::plain(middle, wide, 30.0) }.draw(&others));
    let surface =
        Surface::laid(pool::page(Medium::Phone, Tone::Light, draw.seed()), Matter::Glass, side, modules.side, patches)
            .shining(pool::shining(Medium::Phone));
    let scene = Scene {
        code_side: draw.between(200.0, 250.0),
        centre: if on_the_wall { [0.5 - 0.002 * middle[0], 0.5] } else { [0.5, 0.36] },
        tilt: [draw.between(-6.0, 8.0), draw.between(-8.0, 8.0)],
        noise: draw.between(2.0, 8.0),
        blur: draw.between(0.5, 1.1),
        ..plain(draw)
    };
    let place = if on_the_wall { "on the wall" } else { "on the page" };
    let frame = pool::camera(WIDE, draw.seed()).see(Some(&surface), &scene);
    Sample { frame, texts: vec![ours, other], what: format!("another code {place}") }
}

fn printed(draw: &mut Draw) -> Sample {
    let text = if draw.chance(0.8) { draw.ours(PRINTED) } else { draw.web() };
    let mut shot = Shot::of(draw, Medium::Paper, text);
    shot.scene.code_side = draw.between(170.0, 340.0);
    shot.scene.tilt = [draw.between(-20.0, 20.0), draw.between(-25.0, 25.0)];
    shot.scene.rotation = draw.either(0.0, 20.0);
    shot.scene.fold = Fold { depth: draw.between(0.0, 1.0), bend: draw.either(0.0, 2.0), seed: draw.seed() };
    shot.scene.light = draw.between(0.4, 1.2);
    shot.scene.glare = Glare { spot: draw.between(0.0, 250.0), at: [0.3, -0.4], size: 0.5, reflection: 0.0 };
    shot.scene.noise = draw.between(2.0, 10.0);
    let blur = draw.between(0.08, 0.3);
    shot.blur(blur);
    shot.keep_in_view();
    let fold = shot.scene.fold;
    shot.sample(format!("crease {:.1} mm, bend {:.1} mm, blur {blur:.2}", fold.depth, fold.bend))
}

/// There is a code, and nothing in the picture is left of what it says.
fn unreadable(draw: &mut Draw) -> Sample {
    let medium = if draw.chance(0.8) { Medium::Phone } else { Medium::Paper };
    let text = draw.shown_on(medium);
    let mut shot = Shot::of(draw, medium, text);
    shot.scene.centre = [draw.between(0.25, 0.75), draw.between(0.3, 0.65)];
    shot.scene.code_side = draw.between(140.0, 340.0);
    shot.scene.noise = draw.between(2.0, 10.0);
    let what = match draw.below(5) {
        0 => {
            shot.scene.code_side = draw.between(0.35, 0.8) * shot.modules();
            "too far"
        }
        1 => {
            shot.blur(draw.between(1.3, 2.4));
            "out of focus"
        }
        2 => {
            shot.motion(draw.between(4.5, 8.0), draw.between(0.0, 180.0));
            shot.blur(0.4);
            "moved"
        }
        3 => {
            shot.scene.occlusion = Occlusion { share: draw.between(0.8, 0.95), seed: draw.seed() };
            "covered"
        }
        _ => {
            shot.scene.light = draw.between(0.0, 0.02);
            "dark"
        }
    };
    shot.keep_in_view();
    shot.sample(what.to_owned())
}

fn empty(draw: &mut Draw) -> Sample {
    let size = if draw.chance(0.2) { SMALL } else { WIDE };
    let scene = Scene {
        visitor: if draw.chance(0.3) { 0.0 } else { draw.between(0.3, 1.0) },
        brightness: draw.either(0.0, 30.0),
        contrast: draw.between(0.6, 1.4),
        noise: draw.between(1.0, 16.0),
        blur: draw.between(0.4, 2.0),
        ..plain(draw)
    };
    let camera = pool::camera(size, draw.seed());
    let (frame, what) = match draw.below(Wall::ALL.len() + 4) {
        0 | 1 => (camera.see(None, &scene), "gate"),
        // A phone that shows something else, or nothing yet.
        kind @ (2 | 3) => {
            let (medium, tone) = if kind == 2 { (Medium::Phone, Tone::Light) } else { (Medium::Paper, Tone::Light) };
            let surface = Surface::laid(pool::page(medium, tone, draw.seed()), medium.matter(), 50.0, 41, Vec::new());
            (
                camera.see(Some(&surface), &Scene { code_side: draw.between(140.0, 330.0), ..scene }),
                "page without a code",
            )
        }
        kind => {
            let wall = Wall::ALL[kind - 4];
            let surface = Surface::laid(wall.drawn(draw.seed()), Matter::Paper, 100.0, 41, Vec::new());
            let near = size[0] as f32 / 4.0 * draw.between(1.15, 2.2);
            let motion = Motion { length: draw.between(0.0, 6.0), direction: draw.between(0.0, 180.0) };
            let tilt = [draw.between(-12.0, 12.0), draw.between(-18.0, 18.0)];
            (camera.see(Some(&surface), &Scene { code_side: near, motion, tilt, ..scene }), wall.name())
        }
    };
    Sample { frame, texts: Vec::new(), what: what.to_owned() }
}

/// Nothing in the way, and the place where most hold it.
fn plain(draw: &mut Draw) -> Scene {
    Scene {
        centre: [draw.between(0.42, 0.58), draw.between(0.44, 0.54)],
        rotation: draw.between(-5.0, 5.0),
        glare: Glare::default(),
        seed: draw.seed(),
        ..Scene::default()
    }
}

fn picture(draw: &mut Draw, surface: &Surface, scene: Scene, code_mm: f32, texts: Vec<String>, what: String) -> Sample {
    let scene = in_view(scene, WIDE, code_mm);
    Sample { frame: pool::camera(WIDE, draw.seed()).see(Some(surface), &scene), texts, what }
}
