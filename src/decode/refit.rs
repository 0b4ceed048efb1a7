//! Pulls a mapping onto the edges of what is known of a symbol: finders, timing, alignment patterns.
//!
//! Across each known edge the grey picture is read along the edge's normal. The middle of its slope, counted only in the
//! direction the edge must have, is where the edge is; least squares then move the projection. Blur widens a slope and
//! leaves its middle where it was.

use super::geometry::Mapping;
use super::plane::View;
use super::solve::Normal;

/// A piece of a known edge.
#[derive(Debug, Clone, Copy)]
struct Edge {
    /// Where it is, modules.
    place: [f32; 2],
    /// The direction, in modules, in which it becomes lighter.
    lighter: [f32; 2],
}

/// The picture a mapping is held against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) picture: View<'a>,
    /// Times the picture was halved.
    pub(super) level: usize,
    pub(super) inverted: bool,
}

impl Sight<'_> {
    /// The light at a place of the frame; for light-on-dark codes the darkness.
    #[inline]
    pub(super) fn at(&self, [x, y]: [f32; 2]) -> f32 {
        let scale = 1.0 / (1_u32 << self.level) as f32;
        let light = self.picture.sample(x * scale, y * scale);
        if self.inverted { 255.0 - light } else { light }
    }
}

/// What of a symbol a mapping is pulled onto.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    /// Which finders: top left, top right, bottom left.
    finders: [bool; 3],
    /// From which module to which the timing patterns: row 6, column 6.
    timing: [[usize; 2]; 2],
    /// The middles of alignment patterns.
    alignments: &'a [[f32; 2]],
}

impl<'a> Known<'a> {
    /// The finders, but for one that is hidden.
    pub(super) fn finders(hidden: Option<usize>) -> Self {
        Self { finders: std::array::from_fn(|i| Some(i) != hidden), timing: [[0; 2]; 2], alignments: &[] }
    }

    /// And the timing patterns, from these modules to these.
    pub(super) fn timing(self, timing: [[usize; 2]; 2]) -> Self {
        Self { timing, ..self }
    }

    /// And the alignment patterns with these middles.
    pub(super) fn alignments(self, alignments: &'a [[f32; 2]]) -> Self {
        Self { alignments, ..self }
    }
}

/// Moves the mapping onto the edges of what is known.
pub(super) fn refit(mapping: &mut Mapping, sight: Sight<'_>, known: Known<'_>, rounds: usize) {
    for round in 0..rounds {
        let reach = if round == 0 { 0.9 } else { 0.65 };
        let mut sums = Normal::<8>::new();
        let mut pull = |edge: Edge, share: f32| {
            let Some((offset, contrast)) = offset(mapping, sight, edge, reach) else { return };
            let weight = contrast * share / (1.0 + (offset / 0.35) * (offset / 0.35));
            let a = mapping.map(edge.place);
            let b = mapping.map([edge.place[0] + 0.1 * edge.lighter[0], edge.place[1] + 0.1 * edge.lighter[1]]);
            // In modules, so that near and far edges count alike.
            let step = [(b[0] - a[0]) * 10.0, (b[1] - a[1]) * 10.0];
            let length = step[0] * step[0] + step[1] * step[1];
            if length > 1e-6 {
                let normal = step.map(|v| v / length);
                sums.add(&mapping.gradient(edge.place, normal), offset, weight);
            }
        };
        let far = mapping.size as f32 - 3.5;
        let middles = [[3.5, 3.5], [far, 3.5], [3.5, far]].into_iter().zip(known.finders);
        for middle in middles.filter_map(|(middle, seen)| seen.then_some(middle)) {
            for (half, outwards) in [(3.5, 1.0), (2.5, -1.0), (1.5, 1.0)] {
                square(middle, half, outwards, |edge| pull(edge, 1.0));
            }
        }
        for middle in known.alignments {
            for (half, outwards) in [(2.5, 1.0), (1.5, -1.0), (0.5, 1.0)] {
                square(*middle, half, outwards, |edge| pull(edge, 1.5));
            }
        }
        let [row, column] = known.timing.map(|[from, to]| from.max(8)..to.min(mapping.size - 8));
        let sign = |i: usize| if i.is_multiple_of(2) { 1.0 } else { -1.0 };
        for i in row {
            pull(Edge { place: [i as f32 + 1.0, 6.5], lighter: [sign(i), 0.0] }, 0.5);
        }
        for i in column {
            pull(Edge { place: [6.5, i as f32 + 1.0], lighter: [0.0, sign(i)] }, 0.5);
        }
        let Some(by) = sums.solve(1e-7) else { break };
        let before = *mapping;
        mapping.shift(by);
        if !mapping.is_sound() {
            *mapping = before;
            break;
        }
    }
}

/// Pieces of the four sides of a square; `outwards` is 1 where it becomes lighter to the outside.
fn square(middle: [f32; 2], half: f32, outwards: f32, mut each: impl FnMut(Edge)) {
    let pieces = if half > 3.0 { 5 } else { 3 };
    for i in 0..pieces {
        let along = half * 0.8 * (2.0 * i as f32 / (pieces - 1) as f32 - 1.0);
        for (out, side) in
            [([1.0, 0.0], [0.0, 1.0]), ([-1.0, 0.0], [0.0, 1.0]), ([0.0, 1.0], [1.0, 0.0]), ([0.0, -1.0], [1.0, 0.0])]
        {
            let place = [0, 1].map(|k| middle[k] + half * out[k] + along * side[k]);
            each(Edge { place, lighter: out.map(|v: f32| v * outwards) });
        }
    }
}

const STEPS: usize = 12;

/// How far in its direction an edge is from where it should be, modules, and how strong it is.
fn offset(mapping: &Mapping, sight: Sight<'_>, edge: Edge, reach: f32) -> Option<(f32, f32)> {
    // Over two modules a projection is straight enough.
    let ends = [-reach, reach]
        .map(|t| mapping.map([edge.place[0] + t * edge.lighter[0], edge.place[1] + t * edge.lighter[1]]));
    let step = [0, 1].map(|k| (ends[1][k] - ends[0][k]) / STEPS as f32);
    let mut before = sight.at(ends[0]);
    let (mut sum, mut weighted) = (0.0, 0.0);
    for i in 0..STEPS {
        let now = sight.at([0, 1].map(|k| ends[0][k] + step[k] * (i + 1) as f32));
        let rise = (now - before).max(0.0);
        sum += rise;
        weighted += rise * (i as f32 + 0.5);
        before = now;
    }
    (sum > 4.0).then(|| ((weighted / sum / STEPS as f32 * 2.0 - 1.0) * reach, sum))
}

#[cfg(test)]
mod tests {
    use super::super::testing::draw;
    use super::*;

    #[test]
    fn a_mapping_that_is_half_a_module_off_is_pulled_onto_the_edges() {
        let drawn = draw(3, 6.0, 12.0, 0.2);
        let mut mapping = drawn.truth.moved([0.45, -0.4]);
        assert!(drawn.off(&mapping) > 0.4);
        let known = Known::finders(None).timing([[0, 29]; 2]).alignments(&[[22.5, 22.5]]);
        refit(&mut mapping, drawn.sight(), known, 3);
        assert!(drawn.off(&mapping) < 0.12, "{} modules", drawn.off(&mapping));
    }
}
