//! From three finders to a version and a mapping.
//!
//! The number of modules between finders suggests a few versions. The right one is where the timing patterns alternate
//! from finder to finder; from version 7 on the symbol says its version itself. Alignment patterns then pin the fourth
//! corner and, in large symbols, show how the symbol is bent.

use super::budget::Budget;
use super::geometry::{Mapping, TERMS, terms};
use super::refit::{Known, Sight, refit};
use super::solve::Normal;
use super::symbol::{Symbol, version_word};
use super::triples::Triple;

/// Below this the timing patterns do not alternate: no code, or not this version.
const TIMING: f32 = 0.35;
/// The same where one finder is only a guess: what is read at all reaches 0.76 then.
const TIMING_GUESSED: f32 = 0.6;
/// Mean change from module to module of a timing pattern, as a share of the finders' contrast: blur leaves 0.16 of what is
/// read at all.
const FAINTEST: f32 = 0.2;
/// The same of ground with nothing on it.
const BARE: f32 = 0.08;
/// Correlation from which on a place looks like an alignment pattern.
const ALIGNED: f32 = 0.6;
/// Alignment patterns of one symbol: 7 rows of 7, without the finders' three.
const MOST_ALIGNMENTS: usize = 46;

/// A symbol and where it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Located {
    pub(super) symbol: Symbol,
    pub(super) mapping: Mapping,
    /// The finder that was not seen, if one was not: top left, top right, bottom left.
    pub(super) hidden: Option<usize>,
    /// How well its timing patterns alternate: 1 is perfect.
    pub(super) timing: f32,
}

/// The best symbol for three finders.
pub(super) fn locate(triple: &Triple, sight: Sight<'_>, budget: Budget) -> Option<Located> {
    if is_bare(triple, sight) {
        return None;
    }
    let estimate = (triple.modules + 7.0 - 17.0) / 4.0;
    let nearest = (estimate.round() as usize).clamp(1, 40);
    let play = 1 + nearest / 8;
    let mut best: Option<Located> = None;
    let mut said = None;
    for step in 0..=2 * play {
        if !budget.is_left() {
            return None;
        }
        // The nearest first, then outwards to both sides.
        let away = step.div_ceil(2);
        let version = if step % 2 == 0 { nearest.checked_add(away) } else { nearest.checked_sub(away) };
        let Some(symbol) = version.and_then(Symbol::new) else { continue };
        let Some(tried) = attempt(triple, sight, symbol) else { continue };
        if tried.symbol.version >= 6 && said.is_none() {
            said = version_said(&tried.mapping, sight).and_then(Symbol::new);
            if let Some(other) = said.filter(|s| *s != symbol && s.version.abs_diff(nearest) <= 2 * play)
                && let Some(tried) = attempt(triple, sight, other)
                && tried.timing > TIMING
            {
                best = Some(tried);
                break;
            }
        }
        if best.is_none_or(|b| tried.timing > b.timing) {
            best = Some(tried);
        }
        if best.is_some_and(|b| b.timing > 0.8) {
            break;
        }
    }
    let enough = if triple.guessed.is_some() { TIMING_GUESSED } else { TIMING };
    let mut found = best.filter(|b| b.timing > enough)?;
    align(&mut found, sight);
    Some(found)
}

/// Whether there is next to nothing between the finders that were seen, as between the squares of a poster.
fn is_bare(triple: &Triple, sight: Sight<'_>) -> bool {
    let [corner, right, down] = triple.finders.map(|f| f.at);
    let modules = triple.modules.max(1.0);
    let seen = &triple.finders[usize::from(triple.guessed == Some(0))];
    let ring = seen.axes.iter().flat_map(|[x, y]| [[2.5 * x, 2.5 * y], [-2.5 * x, -2.5 * y]]);
    let light: f32 = ring.map(|[x, y]| sight.at([seen.at[0] + x, seen.at[1] + y])).sum();
    let contrast = light / 4.0 - sight.at(seen.at);
    // Along the timing pattern, three modules from the middles of the finders.
    let is_flat = |from: [f32; 2], to: [f32; 2], third: [f32; 2]| {
        let inwards = [0, 1].map(|k| (third[k] - from[k]) * 3.0 / modules);
        let place = |i: usize| [0, 1].map(|k| from[k] + inwards[k] + (to[k] - from[k]) * i as f32 / modules);
        let lights = (4..modules as usize - 3).map(|i| sight.at(place(i)));
        let mut before = sight.at(place(4));
        let changes: f32 = lights.map(|now| (now - std::mem::replace(&mut before, now)).abs()).sum();
        changes < BARE * contrast * modules
    };
    match triple.guessed {
        None => is_flat(corner, right, down) && is_flat(corner, down, right),
        Some(0) => is_flat(right, down, right),
        Some(1) => is_flat(corner, down, right),
        Some(_) => is_flat(corner, right, down),
    }
}

fn attempt(triple: &Triple, sight: Sight<'_>, symbol: Symbol) -> Option<Located> {
    let mut mapping = Mapping::from_finders(&triple.finders, symbol.size()).filter(Mapping::is_sound)?;
    let hidden = triple.guessed;
    let known = Known::finders(hidden);
    if let Some(hidden) = hidden {
        refit(&mut mapping, sight, known, 1);
        // A pattern between two finders that were seen does not depend on the guess.
        if hidden != 0 && lines(&mapping, sight, [[0, symbol.size()]; 2])[2 - hidden] < TIMING_GUESSED {
            return None;
        }
        grow(&mut mapping, sight, hidden)?;
    }
    refit(&mut mapping, sight, if hidden.is_some() { known.timing([[0, symbol.size()]; 2]) } else { known }, 2);
    Some(Located { symbol, timing: timing(&mapping, sight), mapping, hidden })
}

/// Follows the timing patterns from the finders that were seen to the one that was not, so much farther each time as the
/// mapping can be trusted beyond what it was fitted to.
fn grow(mapping: &mut Mapping, sight: Sight<'_>, hidden: usize) -> Option<()> {
    let size = mapping.size;
    let mut length = 4;
    while length < size - 15 {
        length += 2 + length / 4;
        let timing = match hidden {
            0 => [[(size - 8).saturating_sub(length), size]; 2],
            1 => [[0, 8 + length], [0, size]],
            _ => [[0, size], [0, 8 + length]],
        };
        refit(mapping, sight, Known::finders(Some(hidden)).timing(timing), 2);
        if lines(mapping, sight, timing).iter().any(|line| *line < TIMING) {
            return None;
        }
    }
    Some(())
}

/// How well row 6 and column 6 alternate between the finders: the share of the changes that go the right way.
pub(super) fn timing(mapping: &Mapping, sight: Sight<'_>) -> f32 {
    lines(mapping, sight, [[0, mapping.size]; 2]).iter().sum::<f32>() / 2.0
}

/// The same for parts of the row and the column.
fn lines(mapping: &Mapping, sight: Sight<'_>, parts: [[usize; 2]; 2]) -> [f32; 2] {
    // On flat ground noise alone alternates.
    let least = FAINTEST * contrast(mapping, sight);
    let line = |[from, to]: [usize; 2], place: &dyn Fn(f32) -> [f32; 2]| {
        let (mut right, mut all) = (0.0, 0.0_f32);
        let part = from.max(7)..to.min(mapping.size - 6);
        let changes = part.len() as f32;
        let mut before = sight.at(mapping.map(place(part.start as f32 - 0.5)));
        for i in part {
            let now = sight.at(mapping.map(place(i as f32 + 0.5)));
            // Odd modules are light.
            right += if i % 2 == 1 { now - before } else { before - now };
            all += (now - before).abs();
            before = now;
        }
        right / all.max(least * changes).max(1.0)
    };
    [line(parts[0], &|t| [t, 6.5]), line(parts[1], &|t| [6.5, t])]
}

/// How much lighter the light ring of a finder is than its middle. One of the three may be hidden: the middle one counts.
fn contrast(mapping: &Mapping, sight: Sight<'_>) -> f32 {
    let far = mapping.size as f32 - 3.5;
    let [mut a, b, mut c] = [[3.5, 3.5], [far, 3.5], [3.5, far]].map(|[x, y]| {
        let ring = [[2.5, 0.0], [-2.5, 0.0], [0.0, 2.5], [0.0, -2.5]];
        let light: f32 = ring.iter().map(|[dx, dy]| sight.at(mapping.map([x + dx, y + dy]))).sum();
        light / 4.0 - sight.at(mapping.map([x, y]))
    });
    if a > c {
        std::mem::swap(&mut a, &mut c);
    }
    b.clamp(a, c)
}

/// The version the symbol says, if one of its two words can be read: at most three of eighteen bits may be wrong.
fn version_said(mapping: &Mapping, sight: Sight<'_>) -> Option<usize> {
    let size = mapping.size;
    let word = |place: &dyn Fn(usize, usize) -> [usize; 2]| {
        let lights: [f32; 18] = std::array::from_fn(|bit| {
            let [x, y] = place(bit / 3, size - 11 + bit % 3);
            sight.at(mapping.map([x as f32 + 0.5, y as f32 + 0.5]))
        });
        let middle = lights.iter().fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
        let middle = f32::midpoint(middle.0, middle.1);
        lights.iter().enumerate().fold(0, |word, (bit, light)| word | u32::from(*light < middle) << bit)
    };
    let words = [word(&|a, b| [a, b]), word(&|a, b| [b, a])];
    let wrong = |version: usize| words.iter().map(|w| (w ^ version_word(version)).count_ones()).min().unwrap_or(18);
    (7..=40).min_by_key(|v| wrong(*v)).filter(|v| wrong(*v) <= 3)
}

/// Pins the mapping to the alignment patterns.
pub(super) fn align(found: &mut Located, sight: Sight<'_>) {
    let Located { symbol, mapping, hidden, .. } = found;
    let edges = Known::finders(*hidden).timing([[0, symbol.size()]; 2]);
    let rows = symbol.alignment_rows();
    let size = symbol.size();
    refit(mapping, sight, edges, 1);
    if rows == 0 {
        return;
    }
    let last = symbol.alignment(rows - 1) as f32 + 0.5;
    let reach = 2.5 + size as f32 / 28.0;
    let plain = *mapping;
    if let Some((offset, _)) = search(mapping, sight, [last, last], reach) {
        let far = size as f32 - 3.5;
        let known = [[3.5, 3.5], [far, 3.5], [3.5, far]];
        let modules = [known[0], known[1], [last, last], known[2]];
        let pixels = [
            mapping.map(known[0]),
            mapping.map(known[1]),
            mapping.map([last + offset[0], last + offset[1]]),
            mapping.map(known[2]),
        ];
        if let Some(pinned) = Mapping::from_points(size, modules, pixels).filter(Mapping::is_sound) {
            *mapping = pinned;
            refit(mapping, sight, edges.alignments(&[[last, last]]), 2);
            // A wrong pattern far away would have torn the timing apart.
            let timing = timing(mapping, sight);
            if timing < found.timing - 0.3 {
                *mapping = plain;
            }
        }
    }
    if rows > 2 {
        for reach in [2.0, 1.2] {
            bend_to_alignments(found.symbol, mapping, sight, reach);
        }
    }
}

/// Bends the mapping so that the alignment patterns are where they are seen.
fn bend_to_alignments(symbol: Symbol, mapping: &mut Mapping, sight: Sight<'_>, reach: f32) {
    let rows = symbol.alignment_rows();
    let mut sums = [Normal::<TERMS>::new(), Normal::<TERMS>::new()];
    let mut count = 0;
    let far = symbol.size() as f32 - 3.5;
    let mut add = |place: [f32; 2], offset: [f32; 2], weight: f32| {
        let t = terms(mapping.scaled(place));
        sums[0].add(&t, offset[0], weight);
        sums[1].add(&t, offset[1], weight);
    };
    for middle in [[3.5, 3.5], [far, 3.5], [3.5, far]] {
        for [dx, dy] in [[-3.5, -3.5], [3.5, -3.5], [-3.5, 3.5], [3.5, 3.5]] {
            add([middle[0] + dx, middle[1] + dy], [0.0; 2], 0.5);
        }
    }
    for column in 0..rows {
        for row in 0..rows {
            if symbol.has_alignment(column, row) && count < MOST_ALIGNMENTS {
                let place = [column, row].map(|i| symbol.alignment(i) as f32 + 0.5);
                if let Some((offset, likeness)) = search(mapping, sight, place, reach) {
                    count += 1;
                    add(place, offset, likeness * likeness);
                }
            }
        }
    }
    if count < 3 {
        return;
    }
    let [x, y] = sums.map(|s| s.solve(3e-3));
    if let (Some(x), Some(y)) = (x, y) {
        mapping.bend([x, y]);
    }
}

/// Half modules searched to each side at most, and with the pattern around that.
const FARTHEST: usize = 18;
const SPAN: usize = 2 * (FARTHEST + 4) + 1;

/// Looks for an alignment pattern around a place: where it is from there, modules, and how much it looks like one.
fn search(mapping: &Mapping, sight: Sight<'_>, place: [f32; 2], reach: f32) -> Option<([f32; 2], f32)> {
    let steps = ((reach * 2.0).ceil() as usize).min(FARTHEST);
    let side = 2 * (steps + 4) + 1;
    let mut light = [0.0_f32; SPAN * SPAN];
    let half = (steps + 4) as f32 * 0.5;
    for y in 0..side {
        for x in 0..side {
            let at = [place[0] - half + 0.5 * x as f32, place[1] - half + 0.5 * y as f32];
            light[y * SPAN + x] = sight.at(mapping.map(at));
        }
    }
    let mut best = (0.0, 0.0, [0.0; 2]);
    for y in 0..=2 * steps {
        for x in 0..=2 * steps {
            let likeness = likeness(&light, x, y);
            let offset = [x, y].map(|v| (v as f32 - steps as f32) * 0.5);
            let far = (offset[0] * offset[0] + offset[1] * offset[1]) / (reach * reach);
            let plausible = likeness * (1.0 - 0.2 * far);
            if plausible > best.0 {
                best = (plausible, likeness, offset);
            }
        }
    }
    (best.1 > ALIGNED).then_some((best.2, best.1))
}

/// Correlation of 5x5 modules with the pattern: dark, but for the ring around its middle.
fn likeness(light: &[f32; SPAN * SPAN], x: usize, y: usize) -> f32 {
    let (mut sum, mut squares, mut ring) = (0.0, 0.0, 0.0);
    for j in 0..5 {
        for i in 0..5 {
            let v = light[(y + 2 * j) * SPAN + x + 2 * i];
            sum += v;
            squares += v * v;
            if i.abs_diff(2).max(j.abs_diff(2)) == 1 {
                ring += v;
            }
        }
    }
    // The pattern less its mean: 17/25 on the 8 of the ring, -8/25 on the 17 others.
    let spread = (squares - sum * sum / 25.0).max(0.0) * (8.0 * 17.0 / 25.0);
    (ring - sum * 8.0 / 25.0) / spread.sqrt().max(1.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::draw;
    use super::super::triples::Triples;
    use super::*;

    #[test]
    fn version_and_place_of_small_and_large_symbols() {
        for (version, module, degrees, lean) in
            [(1, 5.0, 0.0, 0.0), (2, 4.0, 100.0, 0.2), (6, 4.0, 30.0, 0.4), (10, 3.0, 200.0, 0.2), (25, 4.0, 5.0, 0.1)]
        {
            let drawn = draw(version, module, degrees, lean);
            let mut triples = Triples::default();
            triples.form(&drawn.finders(), &mut || true);
            let budget = Budget::start(Duration::from_secs(60));
            let located = locate(&triples.list[0], drawn.sight(), budget).expect("located");
            assert_eq!(located.symbol, drawn.symbol);
            let off = drawn.off(&located.mapping);
            assert!(off < 0.35, "version {version}: {off} modules off");
        }
    }

    #[test]
    fn three_finders_with_nothing_between_them_are_no_code() {
        let drawn = draw(4, 6.0, 20.0, 0.2);
        let far = drawn.symbol.size() - 7;
        let size = drawn.symbol.size();
        let finder = |i: usize| (i % size < 7 || i % size >= far) && (i / size < 7 || i / size >= far);
        let bare: Vec<bool> = drawn.dark.iter().enumerate().map(|(i, dark)| *dark && finder(i)).collect();
        let pixels = super::super::testing::paint(&drawn.truth, &bare, drawn.frame.width());
        let picture = super::super::plane::View { pixels: &pixels, ..drawn.view() };
        let mut triples = Triples::default();
        triples.form(&super::super::testing::find(picture), &mut || true);
        assert!(!triples.list.is_empty());
        let sight = Sight { picture, ..drawn.sight() };
        for triple in &triples.list {
            assert!(is_bare(triple, sight) && locate(triple, sight, Budget::start(Duration::MAX / 2)).is_none());
        }
        triples.form(&drawn.finders(), &mut || true);
        assert!(!is_bare(&triples.list[0], drawn.sight()));
    }

    #[test]
    fn flat_ground_holds_no_alignment_pattern() {
        let drawn = draw(6, 4.0, 0.0, 0.0);
        assert_eq!(search(&drawn.truth, drawn.sight(), [-8.0, -8.0], 2.0), None);
        let (offset, likeness) = search(&drawn.truth, drawn.sight(), [33.5, 35.0], 3.0).expect("the pattern");
        assert!(
            (offset[0] - 1.0).abs() < 0.6 && (offset[1] + 0.5).abs() < 0.6 && likeness > 0.8,
            "{offset:?} {likeness}"
        );
    }
}
