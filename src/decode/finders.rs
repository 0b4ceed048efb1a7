//! Finder patterns: the squares in three corners of a code, in both polarities in one pass.
//!
//! A row across one shows runs of 1 : 1 : 3 : 1 : 1. What blur or a wrong threshold adds to dark runs it takes from light
//! ones, so the distances between edges of the same kind (2, 4, 4, 2) are tested rather than the runs (ISO/IEC 18004,
//! 13.b names the runs). What passes along the row, and down the column, is then measured with rays in the grey picture,
//! and the rings are fitted with a parallelogram: it says how the square is turned and tilted.

use super::plane::View;
use super::threshold::Bits;

/// Rows from one scan line to the next: the stone of the smallest finder is about four rows high.
const ROW_STEP: usize = 2;
/// Finders kept of one picture; more are noise or a wall of posters.
const MOST: usize = 256;
/// Pixels across the smallest finder: a little less than a pixel a module.
const SMALLEST: i32 = 6;
/// Crosses of one level; more are noise, and each costs.
const MOST_CROSSES: usize = 1_500;
/// Crosses that may come to nothing in any picture, and more for each finder there is: dense codes are full of them.
const FAILED: usize = 80;
const FAILED_A_FINDER: usize = 60;
/// Further ones, for each pixel that the smallest finder grows.
const CROSSES_A_PIXEL: usize = 8;
const RAYS: usize = 32;

/// A finder pattern. Lengths in pixels of the frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Finder {
    /// Its middle.
    pub(super) at: [f32; 2],
    /// One module along each of its two directions; which is which is not known yet.
    pub(super) axes: [[f32; 2]; 2],
    /// Whether it is light on dark.
    pub(super) inverted: bool,
    /// Root mean square of the parallelogram's misfit, in modules.
    pub(super) misfit: f32,
}

impl Finder {
    /// Side of a module.
    pub(super) fn module(&self) -> f32 {
        let [u, v] = self.axes;
        (u[0] * v[1] - u[1] * v[0]).abs().sqrt()
    }

    /// Its corners in pixels.
    pub(super) fn corners(&self) -> [[f32; 2]; 4] {
        let corner =
            |(a, b): (f32, f32)| [0, 1].map(|i| self.at[i] + 3.5 * (a * self.axes[0][i] + b * self.axes[1][i]));
        [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(corner)
    }

    /// A place as seen from here: modules along each of the two directions.
    pub(super) fn see(&self, place: [f32; 2]) -> [f32; 2] {
        let [u, v] = self.axes;
        let d = [place[0] - self.at[0], place[1] - self.at[1]];
        let area = u[0] * v[1] - u[1] * v[0];
        [(d[0] * v[1] - d[1] * v[0]) / area, (u[0] * d[1] - u[1] * d[0]) / area]
    }

    fn same(&self, other: &Self) -> bool {
        let size = self.module().max(other.module());
        self.inverted == other.inverted && distance(self.at, other.at) < 2.5 * size
    }
}

/// Finds finders, level by level.
#[derive(Debug, Default)]
pub(super) struct Finders {
    /// What was found so far in this frame.
    pub(super) list: Vec<Finder>,
    edges: Vec<u16>,
    /// Crosses of this level that were looked at already: middle and half width.
    crosses: Vec<[f32; 3]>,
}

impl Finders {
    pub(super) fn clear(&mut self) {
        self.list.clear();
    }

    /// Adds the finders of a picture, halved `level` times.
    pub(super) fn scan(&mut self, bits: &Bits, picture: View<'_>, level: usize, go_on: &mut dyn FnMut() -> bool) {
        self.crosses.clear();
        let known = self.list.len();
        for y in (ROW_STEP..bits.height.saturating_sub(ROW_STEP)).step_by(ROW_STEP) {
            if y % (16 * ROW_STEP) == 0 && !go_on() || self.list.len() >= MOST || self.crosses.len() >= MOST_CROSSES {
                return;
            }
            // Where much came to nothing there is noise, and noise is fine: only what is larger is looked at.
            let found = self.list.len().saturating_sub(known);
            let failed = self.crosses.len().saturating_sub(FAILED + FAILED_A_FINDER * found);
            let more = if bits.is_noisy() { (failed / CROSSES_A_PIXEL).min(24) } else { 0 };
            let smallest = SMALLEST as usize + more;
            edges(bits.row(y), bits.width, &mut self.edges);
            for i in 0..self.edges.len().saturating_sub(5) {
                let run: &[u16; 6] = self.edges[i..].first_chunk().unwrap_or(&[0; 6]);
                if usize::from(run[5] - run[0]) >= smallest && like_a_finder(run.map(i32::from)) {
                    let x = usize::midpoint(usize::from(run[2]), usize::from(run[3]));
                    self.cross(bits, picture, level, x, y, f32::from(run[5] - run[0]));
                }
            }
        }
    }

    /// Tests the column through what a row suggests, and measures what passes.
    fn cross(&mut self, bits: &Bits, picture: View<'_>, level: usize, x: usize, y: usize, wide: f32) {
        let place = [x as f32 + 0.5, y as f32 + 0.5];
        // The rows of one finder suggest the same place again and again.
        let seen = |c: &[f32; 3]| (c[0] - place[0]).abs() < 0.5 * c[2] && (c[1] - place[1]).abs() < c[2];
        if self.crosses.iter().rev().take(64).any(seen) {
            return;
        }
        let Some(column) = line(bits, [x, y], [0, 1]) else { return };
        let tall = (column[5] - column[0]) as f32;
        if !like_a_finder(column) || tall > 3.5 * wide || wide > 3.5 * tall {
            return;
        }
        let middle = [place[0], y as f32 + (column[2] + column[3]) as f32 / 2.0];
        self.crosses.push([middle[0], middle[1], wide.min(tall) / 4.0]);
        // Every line through the middle of squares in squares crosses them in the same proportions.
        let slanted = [[1, 0], [-1, 1], [1, 1]].map(|step| line(bits, [x, middle[1] as usize], step));
        if slanted.iter().flatten().filter(|edges| like_a_finder(**edges)).count() < 2 {
            return;
        }
        let steps = slanted[1..].iter().flatten().map(|edges| edges[5] - edges[0]).max().unwrap_or(0);
        let farthest = 0.7 * f32::max(wide.max(tall), std::f32::consts::SQRT_2 * steps as f32);
        let dark = bits.dark(x, y);
        let threshold = f32::from(bits.threshold_at(x, y));
        let module = wide.min(tall) / 7.0;
        let Some(found) = measure(picture, middle, module, farthest, threshold, dark) else { return };
        self.add(found.enlarged(level));
    }

    /// Adds a finder unless it is known already; of two measures of one the better one stays.
    fn add(&mut self, found: Finder) {
        match self.list.iter_mut().find(|f| f.same(&found)) {
            Some(known) if found.misfit < known.misfit => *known = found,
            Some(_) => {}
            None => self.list.push(found),
        }
    }
}

impl Finder {
    fn enlarged(mut self, level: usize) -> Self {
        let scale = (1_u32 << level) as f32;
        self.at = self.at.map(|v| v * scale);
        self.axes = self.axes.map(|axis| axis.map(|v| v * scale));
        self
    }
}

/// Where a row changes from dark to light or back. Beyond the picture it is the other color: a screenshot may end where
/// its code does.
fn edges(row: &[u64], width: usize, edges: &mut Vec<u16>) {
    edges.clear();
    edges.push(0);
    let mut last = row.first().map_or(0, |word| word & 1);
    for (i, word) in row.iter().enumerate() {
        let mut changes = word ^ (word << 1 | last);
        last = word >> 63;
        while changes != 0 {
            let x = i * 64 + changes.trailing_zeros() as usize;
            if x < width {
                edges.push(u16::try_from(x).unwrap_or(u16::MAX));
            }
            changes &= changes - 1;
        }
    }
    edges.push(u16::try_from(width).unwrap_or(u16::MAX));
}

/// Whether six edges are those of a finder: distances of 2, 4, 4 and 2 modules between edges of the same kind.
fn like_a_finder(e: [i32; 6]) -> bool {
    let seven = e[5] - e[0];
    if seven < SMALLEST {
        return false;
    }
    // In sevenths of the whole, with a pixel's play for the raster.
    let off = |from: usize, to: usize, modules: i32| (7 * (e[to] - e[from]) - modules * seven).abs();
    let (near, far) = (seven * 5 / 8 + 6, seven * 7 / 8 + 6);
    let stone = 7 * (e[3] - e[2]);
    off(0, 2, 2) <= near
        && off(3, 5, 2) <= near
        && off(1, 3, 4) <= far
        && off(2, 4, 4) <= far
        && stone >= 3 * seven / 2
        && stone <= 9 * seven / 2
}

/// The six edges along a line through a place, in steps from it: three before it, three after it.
fn line(bits: &Bits, [x, y]: [usize; 2], [dx, dy]: [isize; 2]) -> Option<[i32; 6]> {
    let dark = bits.dark(x, y);
    let mut edges = [0; 6];
    for forwards in [false, true] {
        let [dx, dy] = if forwards { [dx, dy] } else { [-dx, -dy] };
        let (mut at, mut steps) = ([x, y], 0);
        for ring in 0..3 {
            // Beyond the picture every ring has ended.
            while at[0] < bits.width && at[1] < bits.height && bits.dark(at[0], at[1]) == (dark == (ring % 2 == 0)) {
                at = [at[0].wrapping_add_signed(dx), at[1].wrapping_add_signed(dy)];
                steps += 1;
            }
            let outside = at[0] >= bits.width || at[1] >= bits.height;
            if outside && ring < 2 {
                return None;
            }
            if forwards {
                edges[3 + ring] = steps;
            } else {
                edges[2 - ring] = 1 - steps;
            }
        }
    }
    Some(edges)
}

/// A place where a ray crosses from one ring to the next.
#[derive(Clone, Copy, Default)]
struct Crossing {
    place: [f32; 2],
    /// Its distance from the middle along the square's axis, modules: 1.5, 2.5 or 3.5.
    ring: f32,
}

/// Sends rays outwards through the rings, and fits the square.
fn measure(
    picture: View<'_>,
    middle: [f32; 2],
    module: f32,
    farthest: f32,
    threshold: f32,
    dark: bool,
) -> Option<Finder> {
    let mut crossings = [Crossing::default(); 3 * RAYS];
    let mut count = 0;
    let step = (module / 3.0).max(0.4);
    let inside = |x: f32, y: f32| {
        let v = picture.sample(x, y) - threshold;
        if dark { -v } else { v }
    };
    for turn in 0..RAYS {
        // All around with the first few already, so that what is no finder is left early.
        if turn % 4 == 0 && count < 3 * turn / 2 {
            return None;
        }
        let ray = turn * 13 % RAYS;
        let (sin, cos) = (std::f32::consts::TAU * ray as f32 / RAYS as f32).sin_cos();
        let mut found = [0.0; 3];
        let (mut ring, mut r, mut before) = (0, 0.0, inside(middle[0], middle[1]));
        while ring < 3 && r < farthest {
            r += step;
            let (x, y) = (middle[0] + r * cos, middle[1] + r * sin);
            if !picture.holds([x, y], 0.0) {
                // The picture may end where the code does.
                found[2] = r;
                ring += usize::from(ring == 2);
                break;
            }
            let now = inside(x, y);
            if (now > 0.0) != (ring % 2 == 0) {
                found[ring] = r - step * now / (now - before);
                ring += 1;
            }
            before = now;
        }
        let [stone, gap, rim] = found;
        let fits = ring == 3
            && (0.22..0.68).contains(&(stone / rim))
            && (0.48..0.92).contains(&(gap / rim))
            && gap - stone > 0.4 * step;
        if fits {
            for (r, ring) in [(stone, 1.5), (gap, 2.5), (rim, 3.5)] {
                crossings[count] = Crossing { place: [r * cos, r * sin], ring };
                count += 1;
            }
        }
    }
    if count < 3 * RAYS * 5 / 8 {
        return None;
    }
    let (axes, centre, misfit) = fit(&crossings[..count])?;
    let finder = Finder { at: [middle[0] + centre[0], middle[1] + centre[1]], axes, inverted: !dark, misfit };
    let [u, v] = axes.map(|a| a[0].hypot(a[1]));
    (misfit < 0.35 && u < 4.0 * v && v < 4.0 * u).then_some(finder)
}

/// A direction across the square: modules from its middle are `along . place - offset`.
#[derive(Clone, Copy)]
struct Across {
    along: [f32; 2],
    offset: f32,
}

impl Across {
    fn see(&self, place: [f32; 2]) -> f32 {
        self.along[0] * place[0] + self.along[1] * place[1] - self.offset
    }
}

type Square = ([[f32; 2]; 2], [f32; 2], f32);

/// The parallelogram through the crossings: the best of four starting angles.
fn fit(crossings: &[Crossing]) -> Option<Square> {
    // Seen so that the outline is round, every parallelogram is a square, and four angles are enough to start from.
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for c in crossings {
        let [x, y] = c.place.map(|v| v / c.ring);
        (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
    }
    let scale = 1.0 / crossings.len() as f32;
    let (xx, xy, yy) = (xx * scale, xy * scale, yy * scale);
    // The inverse of the lower triangular root of the second moments; a square's outline is 1.24 half sides away.
    let l11 = xx.sqrt();
    let l21 = xy / l11;
    let l22 = (yy - l21 * l21).max(1e-6).sqrt();
    let white = [[1.0 / l11, 0.0], [-l21 / (l11 * l22), 1.0 / l22]];
    let mut best: Option<Square> = None;
    for turn in 0..4 {
        let (sin, cos) = (std::f32::consts::FRAC_PI_8 * turn as f32).sin_cos();
        let row =
            |a: f32, b: f32| Across { along: [0, 1].map(|i| (a * white[0][i] + b * white[1][i]) / 1.24), offset: 0.0 };
        let start = [row(cos, sin), row(-sin, cos)];
        let Some(square) = settle(crossings, start) else { continue };
        if best.is_none_or(|(_, _, misfit)| square.2 < misfit) {
            best = Some(square);
        }
    }
    best
}

/// Gives each crossing to the side it lies on, fits the sides, and again.
fn settle(crossings: &[Crossing], mut sides: [Across; 2]) -> Option<Square> {
    let mut misfit = 0.0;
    for round in 0..4 {
        let mut sums = [Sums::default(); 2];
        let (mut squares, mut weights) = (0.0, 0.0);
        for c in crossings {
            let seen = sides.map(|side| side.see(c.place));
            let side = usize::from(seen[1].abs() > seen[0].abs());
            let (most, least) = (seen[side].abs(), seen[1 - side].abs());
            // Blur rounds corners: what lies near one says little.
            let weight = (2.0 * (most - least) / most.max(1e-3)).clamp(0.05, 1.0);
            squares += weight * (most - c.ring) * (most - c.ring);
            weights += weight;
            sums[side].add(c.place, c.ring.copysign(seen[side]), weight);
        }
        misfit = (squares / weights).sqrt();
        if round < 3 {
            sides = [sums[0].solve()?, sums[1].solve()?];
        }
    }
    let [a, b] = sides;
    let area = a.along[0] * b.along[1] - a.along[1] * b.along[0];
    if area.abs() < 1e-6 {
        return None;
    }
    let axes = [[b.along[1] / area, -b.along[0] / area], [-a.along[1] / area, a.along[0] / area]];
    let centre = [0, 1].map(|i| axes[0][i] * a.offset + axes[1][i] * b.offset);
    Some((axes, centre, misfit))
}

/// Sums of a linear regression of modules on places.
#[derive(Clone, Copy, Default)]
struct Sums {
    xx: f32,
    xy: f32,
    yy: f32,
    x: f32,
    y: f32,
    n: f32,
    xm: f32,
    ym: f32,
    m: f32,
}

impl Sums {
    fn add(&mut self, [x, y]: [f32; 2], modules: f32, weight: f32) {
        self.xx += weight * x * x;
        self.xy += weight * x * y;
        self.yy += weight * y * y;
        self.x += weight * x;
        self.y += weight * y;
        self.n += weight;
        self.xm += weight * x * modules;
        self.ym += weight * y * modules;
        self.m += weight * modules;
    }

    fn solve(&self) -> Option<Across> {
        if self.n < 3.0 {
            return None;
        }
        let (mx, my, mm) = (self.x / self.n, self.y / self.n, self.m / self.n);
        let (xx, xy, yy) = (self.xx - mx * self.x, self.xy - mx * self.y, self.yy - my * self.y);
        let (xm, ym) = (self.xm - mx * self.m, self.ym - my * self.m);
        let determinant = xx * yy - xy * xy;
        if determinant.abs() < 1e-6 * xx * yy || determinant == 0.0 {
            return None;
        }
        let along = [(xm * yy - ym * xy) / determinant, (ym * xx - xm * xy) / determinant];
        Some(Across { along, offset: along[0] * mx + along[1] * my - mm })
    }
}

pub(super) fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

#[cfg(test)]
mod tests {
    use super::super::testing::{chance, draw, find};
    use super::*;

    #[test]
    fn three_finders_at_any_angle_with_their_sides() {
        for degrees in [0.0, 20.0, 45.0, 77.0, 180.0] {
            let drawn = draw(3, 4.0, degrees, 0.2);
            let found = drawn.finders();
            assert_eq!(found.len(), 3, "at {degrees} degrees: {found:?}");
            let far = drawn.symbol.size() as f32 - 3.5;
            for place in [[3.5, 3.5], [far, 3.5], [3.5, far]] {
                let at = drawn.truth.map(place);
                let finder = found.iter().find(|f| distance(f.at, at) < 1.0).expect("a finder there");
                // A module to the right is one module along one of its sides.
                let seen = finder.see(drawn.truth.map([place[0] + 1.0, place[1]])).map(f32::abs);
                assert!((seen[0].max(seen[1]) - 1.0).abs() < 0.15 && seen[0].min(seen[1]) < 0.15, "{seen:?}");
            }
        }
    }

    #[test]
    fn light_on_dark_is_found_in_the_same_pass() {
        let drawn = draw(2, 5.0, 10.0, 0.0);
        let inverse: Vec<u8> = drawn.frame.pixels().iter().map(|v| 255 - v).collect();
        let found = find(View { pixels: &inverse, ..drawn.view() });
        assert!(found.len() == 3 && found.iter().all(|f| f.inverted));
    }

    #[test]
    fn noise_holds_next_to_no_finders() {
        let noise: Vec<u8> = (0..300 * 300).map(|i| (128.0 + 120.0 * chance(i)) as u8).collect();
        assert!(find(View { width: 300, height: 300, pixels: &noise }).len() < 3, "not enough for a code");
    }
}
