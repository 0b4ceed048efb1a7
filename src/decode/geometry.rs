//! From modules to pixels: a projection, and a smooth bend for paper, lenses and rolling shutters.

use super::finders::Finder;
use super::solve::Normal;

/// The way from modules (0 to `size` along each side) to pixels of the frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mapping {
    pub(super) size: usize,
    /// Of places scaled to -1..1 across the symbol; the ninth number is 1.
    projection: [f32; 8],
    /// Added to a place before it is projected, modules, as polynomials of it.
    bend: Option<[[f32; TERMS]; 2]>,
}

/// Terms of a polynomial of two variables of third degree.
pub(super) const TERMS: usize = 10;

/// The terms at a place scaled to -1..1.
pub(super) fn terms([x, y]: [f32; 2]) -> [f32; TERMS] {
    [1.0, x, y, x * x, x * y, y * y, x * x * x, x * x * y, x * y * y, y * y * y]
}

impl Mapping {
    /// From three finders of a symbol of this size; the fourth corner is where the sides of two of them meet.
    pub(super) fn from_finders([corner, right, down]: &[Finder; 3], size: usize) -> Option<Self> {
        let straight = [0, 1].map(|i| right.at[i] + down.at[i] - corner.at[i]);
        let met = meet(right, down, corner.at).filter(|place| {
            let side = super::finders::distance(right.at, down.at);
            super::finders::distance(*place, straight) < 0.6 * side
        });
        let (near, far) = (3.5, size as f32 - 3.5);
        let fourth = met.unwrap_or(straight);
        Self::from_points(
            size,
            [[near, near], [far, near], [far, far], [near, far]],
            [corner.at, right.at, fourth, down.at],
        )
    }

    /// From four places in modules and the same in pixels.
    pub(super) fn from_points(size: usize, modules: [[f32; 2]; 4], pixels: [[f32; 2]; 4]) -> Option<Self> {
        let mut mapping = Self { size, projection: [0.0; 8], bend: None };
        let mut sums = Normal::<8>::new();
        for (place, [px, py]) in modules.into_iter().zip(pixels) {
            let [x, y] = mapping.scaled(place);
            sums.add(&[x, y, 1.0, 0.0, 0.0, 0.0, -px * x, -px * y], px, 1.0);
            sums.add(&[0.0, 0.0, 0.0, x, y, 1.0, -py * x, -py * y], py, 1.0);
        }
        mapping.projection = sums.solve(0.0)?;
        Some(mapping)
    }

    /// A place scaled to -1..1.
    #[inline]
    pub(super) fn scaled(&self, place: [f32; 2]) -> [f32; 2] {
        let scale = 2.0 / self.size as f32;
        place.map(|v| v * scale - 1.0)
    }

    /// Where a place of the symbol is in the frame.
    #[inline]
    pub(super) fn map(&self, place: [f32; 2]) -> [f32; 2] {
        self.project(self.bent(place))
    }

    /// A place of the symbol before it is projected, scaled.
    #[inline]
    fn bent(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let Some([bend_x, bend_y]) = &self.bend else { return self.scaled([x, y]) };
        let t = terms(self.scaled([x, y]));
        let by = |bend: &[f32; TERMS]| bend.iter().zip(&t).map(|(a, b)| a * b).sum::<f32>();
        self.scaled([x + by(bend_x), y + by(bend_y)])
    }

    #[inline]
    fn project(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let p = &self.projection;
        let w = 1.0 / (p[6] * x + p[7] * y + 1.0);
        [(p[0] * x + p[1] * y + p[2]) * w, (p[3] * x + p[4] * y + p[5]) * w]
    }

    /// What the eight numbers of the projection do to a place along a direction in the frame.
    pub(super) fn gradient(&self, place: [f32; 2], [nx, ny]: [f32; 2]) -> [f32; 8] {
        let [x, y] = self.bent(place);
        let [px, py] = self.project([x, y]);
        let w = 1.0 / (self.projection[6] * x + self.projection[7] * y + 1.0);
        let along = -(nx * px + ny * py);
        [nx * x, nx * y, nx, ny * x, ny * y, ny, along * x, along * y].map(|v| v * w)
    }

    /// Adds to the eight numbers.
    pub(super) fn shift(&mut self, by: [f32; 8]) {
        self.projection.iter_mut().zip(by).for_each(|(p, d)| *p += d);
    }

    /// Adds to the bend.
    pub(super) fn bend(&mut self, by: [[f32; TERMS]; 2]) {
        let bend = self.bend.get_or_insert([[0.0; TERMS]; 2]);
        bend.as_flattened_mut().iter_mut().zip(by.as_flattened()).for_each(|(b, d)| *b += d);
    }

    /// The same symbol elsewhere: moved by so many of its modules, as seen at its middle.
    pub(super) fn moved(mut self, [dx, dy]: [f32; 2]) -> Self {
        let middle = self.size as f32 / 2.0;
        let (from, to) = (self.map([middle, middle]), self.map([middle + dx, middle + dy]));
        let [mx, my] = [to[0] - from[0], to[1] - from[1]];
        let [p0, p1, _, p3, p4, _, p6, p7] = self.projection;
        self.projection = [
            p0 + mx * p6,
            p1 + mx * p7,
            self.projection[2] + mx,
            p3 + my * p6,
            p4 + my * p7,
            self.projection[5] + my,
            p6,
            p7,
        ];
        self
    }

    /// How long a module is at a place, in each direction, pixels.
    pub(super) fn module_at(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let along = |dx: f32, dy: f32| super::finders::distance(self.map([x - dx, y - dy]), self.map([x + dx, y + dy]));
        [along(0.5, 0.0), along(0.0, 0.5)]
    }

    /// Whether the symbol lies in front of the camera: its corners keep their order, and none is at the horizon.
    pub(super) fn is_sound(&self) -> bool {
        let p = &self.projection;
        let corners = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];
        if corners.iter().any(|[x, y]| p[6] * x + p[7] * y + 1.0 < 0.15) {
            return false;
        }
        let c = self.corners();
        let turns = (0..4).filter(|i| {
            let [a, b, d] = [c[*i], c[(*i + 1) % 4], c[(*i + 2) % 4]];
            (b[0] - a[0]) * (d[1] - b[1]) - (b[1] - a[1]) * (d[0] - b[0]) > 0.0
        });
        turns.count() == 4
    }

    /// The symbol's corners in the frame, from the top left one in reading direction.
    pub(super) fn corners(&self) -> [[f32; 2]; 4] {
        let end = self.size as f32;
        [[0.0, 0.0], [end, 0.0], [end, end], [0.0, end]].map(|place| self.map(place))
    }
}

/// Where the right finder's downward side meets the lower finder's rightward side.
fn meet(right: &Finder, down: &Finder, corner: [f32; 2]) -> Option<[f32; 2]> {
    // Of each finder the direction that does not lead back to the corner.
    let across = |finder: &Finder| {
        let seen = finder.see(corner).map(f32::abs);
        finder.axes[usize::from(seen[0] > seen[1])]
    };
    let (a, b) = (across(right), across(down));
    let cross = a[0] * b[1] - a[1] * b[0];
    if cross.abs() < 0.05 * a[0].hypot(a[1]) * b[0].hypot(b[1]) {
        return None;
    }
    let d = [down.at[0] - right.at[0], down.at[1] - right.at[1]];
    let t = (d[0] * b[1] - d[1] * b[0]) / cross;
    Some([right.at[0] + t * a[0], right.at[1] + t * a[1]])
}

#[cfg(test)]
mod tests {
    use super::super::finders::distance;
    use super::super::testing::draw;
    use super::*;

    #[test]
    fn a_projection_takes_its_four_points_to_their_places() {
        let modules = [[0.0, 0.0], [25.0, 0.0], [25.0, 25.0], [0.0, 25.0]];
        let pixels = [[10.0, 12.0], [200.0, 30.0], [180.0, 160.0], [22.0, 190.0]];
        let mapping = Mapping::from_points(25, modules, pixels).unwrap();
        assert!(mapping.is_sound());
        for (m, p) in modules.into_iter().zip(pixels) {
            assert!(distance(mapping.map(m), p) < 0.01);
        }
        assert!(!Mapping::from_points(25, modules, [pixels[0], pixels[3], pixels[2], pixels[1]]).unwrap().is_sound());
    }

    #[test]
    fn moved_is_moved_by_modules_at_the_middle() {
        let drawn = draw(2, 4.0, 30.0, 0.3);
        let moved = drawn.truth.moved([2.0, -1.0]);
        assert!(distance(moved.map([12.5, 12.5]), drawn.truth.map([14.5, 11.5])) < 0.05);
    }

    #[test]
    fn three_finders_give_the_fourth_corner_in_perspective() {
        let drawn = draw(6, 5.0, 0.0, 0.4);
        let found = drawn.finders();
        let far = 37.5;
        let nearest = |m| {
            *found
                .iter()
                .min_by(|a, b| {
                    let d = |f: &Finder| distance(f.at, drawn.truth.map(m));
                    d(a).total_cmp(&d(b))
                })
                .unwrap()
        };
        let finders = [nearest([3.5, 3.5]), nearest([far, 3.5]), nearest([3.5, far])];
        let mapping = Mapping::from_finders(&finders, 41).unwrap();
        assert!(drawn.off(&mapping) < 4.0, "{} modules", drawn.off(&mapping));
    }
}
