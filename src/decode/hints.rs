//! Why a code in view may not be read, as figures for the coach on the screen.

use super::finders::Finder;
use super::plane::View;

/// Light that has no more to say: blown out.
const BLOWN: u8 = 250;
/// A finder this many modules from the frame's edge belongs to a code that is cut off there.
const CUT: f32 = 4.5;

/// What a look saw besides the codes it read.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Hints {
    /// Finder patterns that belong to no code that was read.
    pub finders: usize,
    /// Side of a module of the largest of them, pixels: below 2 it is too far, above a thirtieth of the frame too near.
    pub module: f32,
    /// How much of the contrast is left where a finder's light ring is one module wide: 1 is sharp, below about 0.4 blurred.
    pub sharpness: f32,
    /// Share of the picture around the finders (of the whole picture, if there are none) that is blown out.
    pub glare: f32,
    /// Mean light of the picture there, grey levels.
    pub brightness: f32,
    /// Difference between dark and light in the largest finder, grey levels; a dim phone shows less than about 40.
    pub contrast: f32,
    /// The box in which they are, with what they may belong to: left, top, right, bottom in pixels.
    pub around: Option<[f32; 4]>,
    /// Whether a code seems to be cut off by the frame's left, top, right or bottom edge.
    pub cut_off: [bool; 4],
}

/// Measures finders in a picture that was halved `level` times.
pub(super) fn measure(finders: &[Finder], picture: View<'_>, level: usize) -> Hints {
    let mut hints = Hints { finders: finders.len(), ..Hints::default() };
    let scale = (1_u32 << level) as f32;
    let size = [picture.width, picture.height].map(|v| v as f32 * scale);
    let mut around = [0.0, 0.0, size[0], size[1]];
    if let Some(largest) = finders.iter().max_by(|a, b| a.module().total_cmp(&b.module())) {
        hints.module = largest.module();
        (hints.sharpness, hints.contrast) = rings(largest, picture, scale);
        around = [f32::MAX, f32::MAX, 0.0, 0.0];
        for finder in finders {
            let reach = 7.0 * finder.module();
            for i in 0..2 {
                around[i] = around[i].min(finder.at[i] - reach);
                around[i + 2] = around[i + 2].max(finder.at[i] + reach);
                let module = finder.axes[0][i].abs() + finder.axes[1][i].abs();
                hints.cut_off[i] |= finder.at[i] < CUT * module;
                hints.cut_off[i + 2] |= size[i] - finder.at[i] < CUT * module;
            }
        }
    }
    hints.around = (hints.finders > 0).then_some(around);
    (hints.glare, hints.brightness) = light(picture, around.map(|v| v / scale));
    hints
}

/// How much of the contrast the light ring has left, and the contrast from stone to surroundings.
fn rings(finder: &Finder, picture: View<'_>, scale: f32) -> (f32, f32) {
    let ring = |modules: f32| {
        let at = |a: f32, b: f32| {
            let place = [0, 1].map(|i| (finder.at[i] + a * finder.axes[0][i] + b * finder.axes[1][i]) / scale);
            picture.sample(place[0], place[1])
        };
        [(modules, 0.0), (-modules, 0.0), (0.0, modules), (0.0, -modules)].iter().map(|(a, b)| at(*a, *b)).sum::<f32>()
            / 4.0
    };
    let (stone, gap, rim, outside) = (ring(0.0), ring(2.0), ring(3.0), ring(4.2));
    let contrast = (outside - stone).abs().max((gap - stone).abs());
    let left = (gap - f32::midpoint(stone, rim)).abs();
    (left / contrast.max(1.0), contrast)
}

/// Share of blown-out pixels, and mean light, of a part of a picture; every second pixel of every second row is enough.
fn light(picture: View<'_>, [left, top, right, bottom]: [f32; 4]) -> (f32, f32) {
    let (columns, rows) = (
        left.max(0.0) as usize..(right as usize).min(picture.width),
        top.max(0.0) as usize..(bottom as usize).min(picture.height),
    );
    let (mut blown, mut sum, mut count) = (0_u32, 0_u64, 0_u32);
    for y in rows.step_by(2) {
        for value in picture.row(y).get(columns.clone()).unwrap_or(&[]).iter().step_by(2) {
            blown += u32::from(*value >= BLOWN);
            sum += u64::from(*value);
            count += 1;
        }
    }
    let count = count.max(1) as f32;
    (blown as f32 / count, sum as f32 / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A finder of five-pixel modules at 50, 50 on light ground, softened by a running mean.
    fn picture(soft: usize) -> Vec<u8> {
        let light = |x: usize, y: usize| {
            let ring = x.abs_diff(50).max(y.abs_diff(50)) as f32 / 5.0;
            if ring < 1.5 || (2.5..3.5).contains(&ring) { 40_u32 } else { 200 }
        };
        let mean = |x: usize, y: usize| {
            let near = (0..=2 * soft).flat_map(|i| (0..=2 * soft).map(move |j| (i, j)));
            let sum: u32 = near.map(|(i, j)| light((x + i).saturating_sub(soft), (y + j).saturating_sub(soft))).sum();
            (sum as usize / ((2 * soft + 1) * (2 * soft + 1))) as u8
        };
        (0..100 * 100).map(|i| mean(i % 100, i / 100)).collect()
    }

    fn finder(at: [f32; 2]) -> Finder {
        Finder { at, axes: [[5.0, 0.0], [0.0, 5.0]], inverted: false, misfit: 0.0 }
    }

    #[test]
    fn a_blurred_finder_is_less_sharp() {
        let sharpness = |soft| {
            let pixels = picture(soft);
            measure(&[finder([50.5, 50.5])], View { width: 100, height: 100, pixels: &pixels }, 0).sharpness
        };
        assert!(sharpness(0) > 0.95 && sharpness(3) < 0.6, "{} {}", sharpness(0), sharpness(3));
    }

    #[test]
    fn a_code_at_the_edge_is_cut_off_there() {
        let pixels = picture(0);
        let hints = measure(&[finder([97.0, 50.0])], View { width: 100, height: 100, pixels: &pixels }, 0);
        assert_eq!(hints.cut_off, [false, false, true, false]);
        assert_eq!((hints.finders, hints.module), (1, 5.0));
    }

    #[test]
    fn an_empty_picture_has_light_and_nothing_else() {
        let hints = measure(&[], View { width: 40, height: 40, pixels: &[255; 1600] }, 0);
        assert_eq!(hints, Hints { glare: 1.0, brightness: 255.0, ..Hints::default() });
    }
}
