//! Three finders that may belong to one code.
//!
//! Each finder's own parallelogram says which others lie along its sides and how many modules away: that holds at any
//! tilt, where "the longest side is the diagonal" fails above about 50 degrees. Between two finders the modules shrink as
//! a projection shrinks them, so their number is the distance in the geometric mean of both ends' modules, exactly.

use super::finders::{Finder, distance};

/// Modules between the middles of two finders: 14 for version 1, 170 for version 40, and some play.
const NEAREST: f32 = 11.0;
const FARTHEST: f32 = 190.0;
/// Triples kept of one picture.
const MOST: usize = 400;
/// Triples formed of one picture before the best are kept.
const MOST_FORMED: usize = 20_000;
/// Guesses kept of one picture: each costs several looks.
const MOST_GUESSES: usize = 24;

/// Three finders: top left, top right, bottom left, as the code is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Triple {
    pub(super) finders: [Finder; 3],
    /// Which of them was not seen, and where it is only a guess.
    pub(super) guessed: Option<usize>,
    /// Modules between the middles of the first and each of the others.
    pub(super) modules: f32,
    /// How badly it fits; small is good.
    pub(super) doubt: f32,
}

/// A finder along a side of another.
#[derive(Debug, Clone, Copy)]
struct Link {
    to: usize,
    side: usize,
    modules: f32,
    doubt: f32,
}

/// Forms triples.
#[derive(Debug, Default)]
pub(super) struct Triples {
    /// The triples of this frame, the most plausible first.
    pub(super) list: Vec<Triple>,
    links: Vec<Link>,
}

impl Triples {
    /// All triples of these finders.
    pub(super) fn form(&mut self, finders: &[Finder], go_on: &mut dyn FnMut() -> bool) {
        self.list.clear();
        for (i, corner) in finders.iter().enumerate() {
            if self.list.len() > MOST_FORMED || i % 8 == 7 && !go_on() {
                break;
            }
            self.links.clear();
            self.links.extend((0..finders.len()).filter(|j| *j != i).filter_map(|j| link(corner, &finders[j], j)));
            for (n, one) in self.links.iter().enumerate() {
                for two in &self.links[n + 1..] {
                    let ratio = (one.modules / two.modules).ln().abs();
                    if one.side == two.side || ratio > 0.35 {
                        continue;
                    }
                    let (right, down) = (finders[one.to], finders[two.to]);
                    self.list.push(Triple {
                        modules: (one.modules * two.modules).sqrt(),
                        doubt: 3.0 * ratio + one.doubt + two.doubt + corner.misfit + right.misfit + down.misfit,
                        ..Triple::new([*corner, right, down], None)
                    });
                }
            }
        }
        self.list.sort_unstable_by(|a, b| a.doubt.total_cmp(&b.doubt));
        self.list.truncate(MOST);
    }

    /// All pairs of these finders, each with every place where the third one may be: glare, a thumb or a crack may hide it.
    pub(super) fn guess(&mut self, finders: &[Finder]) {
        self.list.clear();
        for (i, one) in finders.iter().enumerate() {
            for two in &finders[i + 1..] {
                self.guess_third(one, two);
            }
        }
        self.list.sort_unstable_by(|a, b| a.doubt.total_cmp(&b.doubt));
        self.list.truncate(MOST_GUESSES);
    }

    fn guess_third(&mut self, one: &Finder, two: &Finder) {
        if let (Some(there), Some(back)) = (link(one, two, 0), link(two, one, 0)) {
            // Along a side: either of them is the corner, and the code on either side of the line.
            let modules = there.modules;
            // A crack or a thumb may have bent the axes of one of them: the other one's are nearly the same.
            let (straight, side) = if two.misfit < one.misfit { (two, back.side) } else { (one, there.side) };
            let across = straight.axes[1 - side];
            for (corner, other) in [(one, two), (two, one)] {
                for sign in [-1.0, 1.0] {
                    let [dx, dy] = across.map(|v| v * sign * modules);
                    let third = Finder { at: [corner.at[0] + dx, corner.at[1] + dy], axes: straight.axes, ..*corner };
                    let doubt = there.doubt + one.misfit + two.misfit;
                    self.list.push(Triple { modules, doubt, ..Triple::new([*corner, *other, third], Some(2)) });
                }
            }
        } else if one.inverted == two.inverted {
            // Along the diagonal: the corner is where their sides meet, on either side of it.
            let (there, back) = (one.see(two.at), two.see(one.at));
            let modules = (there[0] * there[1] * back[0] * back[1]).abs().sqrt().sqrt();
            let skew = |seen: [f32; 2]| (seen[0] / seen[1]).abs().ln().abs();
            let doubt = skew(there) + skew(back);
            if !(NEAREST..FARTHEST).contains(&modules) || doubt.is_nan() || doubt >= 0.8 {
                return;
            }
            for side in [0, 1] {
                let along = one.axes[side].map(|v| v * there[side]);
                let corner = Finder { at: [one.at[0] + along[0], one.at[1] + along[1]], ..*one };
                let doubt = doubt + one.misfit + two.misfit;
                self.list.push(Triple { modules, doubt, ..Triple::new([corner, *one, *two], Some(0)) });
            }
        }
    }
}

impl Triple {
    /// Whether the same was meant by another look at the same finders.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.guessed == other.guessed
            && self.finders.iter().zip(&other.finders).all(|(a, b)| distance(a.at, b.at) < 0.3 * a.module())
    }

    /// Puts the two beside the corner in order.
    fn new([corner, mut right, mut down]: [Finder; 3], mut guessed: Option<usize>) -> Self {
        if turns_left(corner.at, right.at, down.at) {
            std::mem::swap(&mut right, &mut down);
            guessed = guessed.map(|i| [0, 2, 1][i]);
        }
        Self { finders: [corner, right, down], guessed, modules: 0.0, doubt: 0.0 }
    }
}

fn link(from: &Finder, other: &Finder, to: usize) -> Option<Link> {
    if from.inverted != other.inverted {
        return None;
    }
    let (there, side, slant) = along(from, other)?;
    let (back, _, slant_back) = along(other, from)?;
    let (modules, skew) = ((there * back).sqrt(), (there / back).ln().abs());
    let fits = (NEAREST..FARTHEST).contains(&modules) && skew < 1.2;
    fits.then_some(Link { to, side, modules, doubt: 0.3 * skew + slant + slant_back })
}

/// How many modules away, along which of the sides, and how slanted to it, one finder sees another.
fn along(from: &Finder, other: &Finder) -> Option<(f32, usize, f32)> {
    let seen = from.see(other.at).map(f32::abs);
    let side = usize::from(seen[1] > seen[0]);
    let slant = seen[1 - side] / seen[side].max(1.0);
    (slant < 0.32).then_some((seen[side], side, slant))
}

fn turns_left(corner: [f32; 2], right: [f32; 2], down: [f32; 2]) -> bool {
    let (r, d) = ([right[0] - corner[0], right[1] - corner[1]], [down[0] - corner[0], down[1] - corner[1]]);
    r[0] * d[1] - r[1] * d[0] < 0.0
}

#[cfg(test)]
mod tests {
    use super::super::testing::draw;
    use super::*;

    #[test]
    fn the_corner_is_told_from_the_others_at_any_tilt() {
        for (degrees, lean) in [(0.0, 0.0), (33.0, 0.0), (120.0, 0.4), (250.0, 0.5)] {
            let drawn = draw(4, 5.0, degrees, lean);
            let mut triples = Triples::default();
            triples.form(&drawn.finders(), &mut || true);
            let best = triples.list.first().expect("a triple");
            let far = drawn.symbol.size() as f32 - 3.5;
            for (finder, place) in best.finders.iter().zip([[3.5, 3.5], [far, 3.5], [3.5, far]]) {
                assert!(distance(finder.at, drawn.truth.map(place)) < 2.0, "{degrees} degrees, lean {lean}");
            }
            let modules = drawn.symbol.size() as f32 - 7.0;
            assert!((best.modules - modules).abs() < 0.1 * modules, "{} for {modules}", best.modules);
        }
    }

    #[test]
    fn a_hidden_finder_is_among_the_guesses() {
        let drawn = draw(4, 5.0, 15.0, 0.0);
        let finders = drawn.finders();
        for hidden in 0..3 {
            let mut seen = finders.clone();
            let gone = seen.remove(hidden);
            let mut triples = Triples::default();
            triples.guess(&seen);
            let near = |t: &Triple| t.guessed.is_some_and(|i| distance(t.finders[i].at, gone.at) < 3.0 * gone.module());
            assert!(triples.list.iter().any(near), "finder {hidden}");
        }
    }
}
