//! Symbols drawn for the tests of the stages.

use qrcode::{Color, EcLevel, QrCode, Version};

use super::finders::{Finder, Finders};
use super::geometry::Mapping;
use super::grid::Grid;
use super::plane::View;
use super::refit::Sight;
use super::symbol::Symbol;
use super::threshold::{Bits, Manner};
use crate::capture::Luma;

pub(super) const TEXT: &str = "TG1:STAGES";

/// A symbol on light ground.
pub(super) struct Drawn {
    pub(super) symbol: Symbol,
    pub(super) dark: Vec<bool>,
    pub(super) frame: Luma,
    /// Where its modules really are.
    pub(super) truth: Mapping,
}

/// A version at an angle (degrees), modules of so many pixels; `lean` makes one side shorter, as perspective does.
pub(super) fn draw(version: usize, module: f32, degrees: f32, lean: f32) -> Drawn {
    let symbol = Symbol::new(version).unwrap();
    let wanted = Version::Normal(i16::try_from(version).unwrap());
    let code = QrCode::with_version(TEXT, wanted, EcLevel::M).unwrap();
    let dark: Vec<bool> = code.to_colors().iter().map(|c| *c == Color::Dark).collect();
    let end = symbol.size() as f32;
    let side = ((end + 10.0) * module * 1.5) as usize;
    let (sin, cos) = degrees.to_radians().sin_cos();
    let corner = |x: f32, y: f32| {
        let scale = module * (1.0 - lean * y / end);
        let [dx, dy] = [(x - end / 2.0) * scale, (y - end / 2.0) * module * (1.0 - lean / 2.0)];
        [side as f32 / 2.0 + dx * cos - dy * sin, side as f32 / 2.0 + dx * sin + dy * cos]
    };
    let modules = [[0.0, 0.0], [end, 0.0], [end, end], [0.0, end]];
    let truth = Mapping::from_points(symbol.size(), modules, modules.map(|[x, y]| corner(x, y))).unwrap();
    let pixels = paint(&truth, &dark, side);
    Drawn { symbol, dark, frame: Luma::new(side, side, pixels), truth }
}

/// Every module as 9x9 points with light from 30 to 220, spread over the pixels they fall on.
pub(super) fn paint(truth: &Mapping, dark: &[bool], side: usize) -> Vec<u8> {
    let size = truth.size as i32;
    let mut sums = vec![(0.0_f32, 0.0_f32); side * side];
    let [module, _] = truth.module_at([size as f32 / 2.0; 2]);
    let points = (module * 3.0).ceil() as i32;
    for y in -5 * points..(size + 5) * points {
        for x in -5 * points..(size + 5) * points {
            let place = [x, y].map(|v| (v as f32 + 0.5) / points as f32);
            let [px, py] = truth.map(place);
            if px < 0.0 || py < 0.0 || px >= side as f32 || py >= side as f32 {
                continue;
            }
            let inside = place.iter().all(|v| *v >= 0.0 && *v < size as f32);
            let is_dark = inside && dark[place[1] as usize * truth.size + place[0] as usize];
            let sum = &mut sums[py as usize * side + px as usize];
            *sum = (sum.0 + if is_dark { 30.0 } else { 220.0 }, sum.1 + 1.0);
        }
    }
    sums.iter().map(|(light, count)| if *count > 0.0 { (light / count) as u8 } else { 220 }).collect()
}

impl Drawn {
    pub(super) fn view(&self) -> View<'_> {
        View { width: self.frame.width(), height: self.frame.height(), pixels: self.frame.pixels() }
    }

    pub(super) fn sight(&self) -> Sight<'_> {
        Sight { picture: self.view(), level: 0, inverted: false }
    }

    pub(super) fn finders(&self) -> Vec<Finder> {
        find(self.view())
    }

    /// How far a mapping is from the truth at worst, modules.
    pub(super) fn off(&self, mapping: &Mapping) -> f32 {
        let size = self.symbol.size();
        let places = (0..=size).step_by(4).flat_map(|y| (0..=size).step_by(4).map(move |x| [x as f32, y as f32]));
        let module = |p| self.truth.module_at(p).into_iter().fold(f32::MAX, f32::min);
        places.map(|p| super::finders::distance(mapping.map(p), self.truth.map(p)) / module(p)).fold(0.0, f32::max)
    }

    /// The modules as a grid of 1 and -1.
    pub(super) fn grid(&self) -> Grid {
        let values = self.dark.iter().map(|d| if *d { 1.0 } else { -1.0 }).collect();
        Grid { size: self.symbol.size(), values }
    }
}

pub(super) fn find(picture: View<'_>) -> Vec<Finder> {
    let (mut bits, mut finders) = (Bits::default(), Finders::default());
    bits.divide(picture, Manner::default());
    finders.scan(&bits, picture, 0, &mut || true);
    finders.list
}

/// Numbers that look like chance, from -1 to 1.
pub(super) fn chance(i: usize) -> f32 {
    let hash = (i as u32 ^ 0x9e37).wrapping_mul(2_654_435_761);
    let hash = (hash ^ hash >> 15).wrapping_mul(2_246_822_519);
    (hash >> 16) as f32 / 32768.0 - 1.0
}
