//! From a frame to the codes in it.
//!
//! `threshold -> finders -> triples -> locate (geometry, refit) -> grid -> equalise -> repair -> read`, at half size first,
//! then at full and at quarter size while nothing is found and there is CPU time left. Detection, geometry and sampling are
//! ours; rqrr takes the grid from there.
#![expect(clippy::cast_possible_truncation, reason = "pixels, modules and grey levels; casts from float saturate")]

mod bend;
mod budget;
mod equalise;
mod finders;
mod geometry;
mod grid;
mod hints;
mod locate;
mod plane;
mod read;
mod refit;
mod repair;
mod solve;
mod still;
mod symbol;
#[cfg(test)]
mod testing;
mod threshold;
mod track;
mod triples;

use std::borrow::Cow;
use std::time::Duration;

use crate::capture::Luma;
use budget::Budget;
use finders::{Finder, Finders};
use grid::{Grid, Means};
pub use hints::Hints;
use locate::Located;
use plane::Pyramid;
use still::Stillness;
use threshold::{Bits, Manner};
use track::Track;
use triples::{Triple, Triples};

/// The share of the budget that goes into codes with a hidden finder.
const GUESSES: u32 = 6;
/// Triples that may come to nothing, and more for each code that is read: posters of squares in squares are full of them.
const FAILED: usize = 12;
const FAILED_A_CODE: usize = 12;
/// Pixels of a frame that is looked at in full size in any case.
const SMALL_FRAME: usize = 800 * 640;
/// Frames of a code that stays in view, of which one is looked at as a whole.
const EVERY: usize = 3;
/// Finders that may belong to a code of which more is seen in full size; more are no code.
const FEW: usize = 3;
/// Share of the fixed modules that may be wrong in what is worth a try, and once blur is undone, a second one. Of what is
/// read 0.18 and 0.15 are wrong at most.
const HOPELESS: f32 = 0.28;
const HOPELESS_CLEAR: f32 = 0.2;

/// What a look may cost.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// CPU time of one look; stages stop when it is spent.
    pub budget: Duration,
    /// Manners of looking at one frame, of three; the next frame is looked at in the next one.
    pub manners: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { budget: Duration::from_millis(25), manners: 1 }
    }
}

impl Settings {
    /// For a still picture that nobody waits for.
    pub fn thorough() -> Self {
        Self { budget: Duration::from_millis(500), manners: 3 }
    }
}

/// A code found in a frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Its content as the code holds it.
    pub bytes: Vec<u8>,
    /// Its corners in pixels, from the top left one in reading direction.
    pub corners: [[f32; 2]; 4],
    /// Modules on a side.
    pub modules: usize,
}

impl Found {
    /// Its text; bytes that are not UTF-8 are replaced, so that such a code is shown as what it is: not ours.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// Twice its area: larger means nearer.
    fn area(&self) -> f32 {
        let c = &self.corners;
        (0..4).map(|i| c[i][0] * c[(i + 1) % 4][1] - c[(i + 1) % 4][0] * c[i][1]).sum::<f32>().abs()
    }

    /// Whether it explains a finder: one in it with modules as large as its own. A smaller code may be drawn on a large one.
    fn explains(&self, finder: &Finder) -> bool {
        let (c, place) = (&self.corners, finder.at);
        let side = |i: usize| {
            let (a, b) = (c[i], c[(i + 1) % 4]);
            (b[0] - a[0]) * (place[1] - a[1]) - (b[1] - a[1]) * (place[0] - a[0]) > 0.0
        };
        let module = (self.area() / 2.0).sqrt() / self.modules as f32;
        (0..4).all(|i| side(i) == side(0)) && (0.55..1.8).contains(&(finder.module() / module))
    }
}

/// What one look at a frame gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// The codes, the nearest first, each content once.
    pub codes: Vec<Found>,
    /// What else was seen: why there may be no code.
    pub hints: Hints,
}

/// Looks at one frame after the other.
#[derive(Debug)]
pub struct Decoder {
    settings: Settings,
    seen: Seen,
    pyramid: Pyramid,
    bits: Bits,
    smooth: (Vec<u16>, Vec<u8>),
    finders: Finders,
    triples: Triples,
    reader: Reader,
    still: Stillness,
    track: Track,
    /// Manners tried since a code was last read.
    unread: usize,
    /// Frames in which a known code was read again without a break.
    followed: usize,
    /// Finders that are not part of a code read already.
    open: Vec<Finder>,
    /// Triples that were looked at in this frame.
    tried: Vec<Triple>,
    /// Found codes of earlier frames, for their memory.
    spare: Vec<Found>,
    /// Whether the frame at half size has a place as busy as a small code.
    fine: bool,
}

impl Decoder {
    /// A decoder that has seen nothing yet.
    pub fn new(settings: Settings) -> Self {
        symbol::prepare();
        Self {
            settings,
            seen: Seen::default(),
            pyramid: Pyramid::default(),
            bits: Bits::default(),
            smooth: Default::default(),
            finders: Finders::default(),
            triples: Triples::default(),
            reader: Reader::default(),
            still: Stillness::default(),
            track: Track::default(),
            unread: 0,
            followed: 0,
            open: Vec::new(),
            tried: Vec::new(),
            spare: Vec::new(),
            fine: false,
        }
    }

    /// Looks at a frame.
    pub fn look(&mut self, frame: &Luma) -> &Seen {
        let budget = Budget::start(self.settings.budget);
        let held_nothing = self.seen.codes.is_empty() && self.finders.list.is_empty() && self.track.is_empty();
        if self.still.may_pass(frame, held_nothing) {
            return &self.seen;
        }
        self.spare.append(&mut self.seen.codes);
        self.track.age();
        // A place in a frame of another size says nothing.
        if !self.pyramid.begin(frame) {
            self.track.forget();
        }
        self.finders.clear();
        self.tried.clear();
        self.read_tracked(frame, budget);
        // A code that stays in view must not hide the one beside it: now and then the rest of the frame is looked at, too.
        let tracked = !self.seen.codes.is_empty();
        self.followed = if tracked { self.followed + 1 } else { 0 };
        let thorough = self.settings.manners > 1;
        if !tracked || thorough || self.followed.is_multiple_of(EVERY) {
            self.look_in_all_manners(frame, tracked || thorough, budget);
        }
        self.seen.codes.sort_unstable_by(|a, b| b.area().total_cmp(&a.area()));
        self.gather();
        let level = 2.min(self.pyramid.levels().saturating_sub(1));
        self.pyramid.prepare(frame, level);
        self.seen.hints = hints::measure(&self.open, self.pyramid.level(frame, level), level);
        &self.seen
    }

    /// What the last look gave.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// The corners of the finders that belong to no code that was read.
    pub fn unread(&self) -> impl Iterator<Item = [[f32; 2]; 4]> {
        self.open.iter().map(Finder::corners)
    }

    /// What was not read in one manner is tried in another: in the next frame, or at once if nobody waits.
    fn look_in_all_manners(&mut self, frame: &Luma, whole: bool, budget: Budget) {
        for _ in 0..self.settings.manners.clamp(1, Manner::ALL.len()) {
            if !budget.is_left() {
                break;
            }
            self.look_at_all_sizes(frame, Manner::ALL[self.unread % Manner::ALL.len()], whole, budget);
            if !self.seen.codes.is_empty() {
                self.unread = 0;
                break;
            }
            self.unread += 1;
        }
    }

    /// Looks until something is read, or through all sizes for the `whole` of what is there.
    fn look_at_all_sizes(&mut self, frame: &Luma, manner: Manner, whole: bool, budget: Budget) {
        for level in [1, 2, 3, 0] {
            if level >= self.pyramid.levels() || !budget.is_left() {
                continue;
            }
            if level == 0 && !self.is_worth_full_size(frame) {
                break;
            }
            self.scan(frame, level, manner, budget);
            self.read(frame, budget);
            if !whole && !self.seen.codes.is_empty() {
                return;
            }
        }
        self.read_guesses(frame, budget.at_most(self.settings.budget / GUESSES));
    }

    /// Forgets earlier frames: the next one has nothing to do with them.
    pub fn forget(&mut self) {
        self.spare.append(&mut self.seen.codes);
        (self.unread, self.followed) = (0, 0);
        self.still.forget();
        self.track.forget();
    }

    /// Full size costs as much as all other sizes three times over: it must promise something.
    fn is_worth_full_size(&self, frame: &Luma) -> bool {
        let finders = self.finders.list.len();
        self.fine || (1..=FEW).contains(&finders) || frame.width() * frame.height() <= SMALL_FRAME
    }

    /// Finds the finders of one level.
    fn scan(&mut self, frame: &Luma, level: usize, manner: Manner, budget: Budget) {
        self.pyramid.prepare(frame, level);
        let mut picture = self.pyramid.level(frame, level);
        if manner.smooth {
            let (work, smooth) = &mut self.smooth;
            plane::smooth(picture, work, smooth);
            picture.pixels = smooth;
        }
        self.bits.divide(picture, manner);
        if level == 1 {
            self.fine = self.bits.has_fine_texture();
        }
        self.finders.scan(&self.bits, picture, level, &mut || budget.is_left());
    }

    /// Reads what the finders found so far may belong to.
    fn read(&mut self, frame: &Luma, budget: Budget) {
        self.gather();
        self.triples.form(&self.open, &mut || budget.is_left());
        self.read_triples(frame, budget);
    }

    /// Reads codes of which one finder is hidden.
    fn read_guesses(&mut self, frame: &Luma, budget: Budget) {
        self.gather();
        self.triples.guess(&self.open);
        self.read_triples(frame, budget);
    }

    /// Collects the finders that no code explains yet.
    fn gather(&mut self) {
        let codes = &self.seen.codes;
        self.open.clear();
        self.open.extend(self.finders.list.iter().filter(|f| !codes.iter().any(|c| c.explains(f))));
    }

    fn read_triples(&mut self, frame: &Luma, budget: Budget) {
        let mut failed = 0;
        for i in 0..self.triples.list.len() {
            let codes = self.seen.codes.len();
            if !budget.is_left() || failed >= FAILED + FAILED_A_CODE * codes {
                return;
            }
            let triple = self.triples.list[i];
            let explained = triple.finders.iter().any(|f| self.seen.codes.iter().any(|c| c.explains(f)));
            if explained || self.tried.iter().any(|t| t.is_like(&triple)) {
                continue;
            }
            self.tried.push(triple);
            let module = triple.finders.iter().map(Finder::module).fold(f32::MAX, f32::min);
            let inverted = triple.finders[0].inverted;
            let level = grid::level_for(module, 2.0, self.pyramid.levels());
            self.pyramid.prepare(frame, level);
            let sight = refit::Sight { picture: self.pyramid.level(frame, level), level, inverted };
            if let Some(located) = locate::locate(&triple, sight, budget) {
                self.read_located(&located, inverted, frame, budget);
            }
            failed += usize::from(self.seen.codes.len() == codes);
        }
    }

    /// Looks first where a symbol was in the last frame.
    fn read_tracked(&mut self, frame: &Luma, budget: Budget) {
        let Some((last, inverted)) = self.track.last() else { return };
        let sight = grid::sight(&mut self.pyramid, frame, &last.mapping, inverted, 2.0);
        if let Some(located) = track::find_again(last, sight) {
            self.read_located(&located, inverted, frame, budget);
        }
    }

    fn read_located(&mut self, located: &Located, inverted: bool, frame: &Luma, budget: Budget) {
        let read = match self.reader.read(located, &mut self.pyramid, frame, inverted, budget) {
            Outcome::Hopeless => return,
            Outcome::Read => true,
            // Together with what earlier frames showed of it, it may be enough.
            Outcome::Unread => {
                self.track.add(&self.reader.clear, located.symbol)
                    && self.reader.reading.read(self.track.sum(), located.symbol, &mut self.reader.bytes)
            }
        };
        self.track.note(located, inverted);
        if read {
            self.track.settle();
            let known = self.seen.codes.iter().any(|c| c.bytes == self.reader.bytes);
            if !known {
                let mut found = self.spare.pop().unwrap_or_default();
                found.bytes.clone_from(&self.reader.bytes);
                (found.corners, found.modules) = (located.mapping.corners(), located.mapping.size);
                self.seen.codes.push(found);
            }
        }
    }
}

/// How reading a symbol ended.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    /// Its bytes are there.
    Read,
    /// It is a symbol, and more of it must be seen.
    Unread,
    /// What is fixed in a symbol is not there.
    Hopeless,
}

/// Reads a located symbol, trying one thing after the other.
#[derive(Debug, Default)]
struct Reader {
    light: Grid,
    dark: Grid,
    clear: Grid,
    clearer: Grid,
    means: Means,
    reading: read::Reading,
    bytes: Vec<u8>,
}

impl Reader {
    fn read(
        &mut self,
        located: &Located,
        pyramid: &mut Pyramid,
        frame: &Luma,
        inverted: bool,
        budget: Budget,
    ) -> Outcome {
        let mut mapping = located.mapping;
        let sight = grid::sight(pyramid, frame, &mapping, inverted, 2.0);
        for round in 0..3 {
            grid::sample(&mapping, sight, &mut self.light);
            grid::normalise(&self.light, &mut self.means, &mut self.dark);
            if read::wrong_share(&self.dark, located.symbol) > HOPELESS {
                return Outcome::Hopeless;
            }
            if self.hypotheses(located) {
                return Outcome::Read;
            }
            if read::wrong_share(&self.clear, located.symbol) > HOPELESS_CLEAR {
                return Outcome::Hopeless;
            }
            if round == 2 || !budget.is_left() || !bend::settle(&mut mapping, sight, &self.light, &self.dark) {
                return Outcome::Unread;
            }
        }
        Outcome::Unread
    }

    fn hypotheses(&mut self, located: &Located) -> bool {
        let symbol = located.symbol;
        if equalise::on_known(&self.dark, symbol, &mut self.clear) {
            if self.reading.read(&self.clear, symbol, &mut self.bytes) {
                return true;
            }
            if equalise::on_decisions(&self.dark, &self.clear, symbol, &mut self.clearer)
                && self.reading.read(&self.clearer, symbol, &mut self.bytes)
            {
                return true;
            }
        }
        self.reading.read(&self.dark, symbol, &mut self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{TEXT, draw};
    use super::*;

    #[test]
    fn frames_of_any_size_and_content_are_survived() {
        let mut decoder = Decoder::new(Settings::default());
        for (width, height) in [(0, 0), (1, 1), (0, 9), (21, 21), (3, 4000), (65_535, 1), (65_535, 22), (640, 480)] {
            for fill in [0, 128, 255] {
                assert_eq!(decoder.look(&Luma::new(width, height, vec![fill; width * height])).codes, []);
            }
            let noise = (0..width * height).map(|i| (i * 2_654_435_761).to_le_bytes()[1]).collect();
            assert_eq!(decoder.look(&Luma::new(width, height, noise)).codes, []);
        }
    }

    #[test]
    fn a_code_is_read_upright_turned_mirrored_and_inverted() {
        for (version, degrees, lean) in [(1, 0.0, 0.0), (6, 30.0, 0.2), (10, 200.0, 0.3), (25, 80.0, 0.0)] {
            let drawn = draw(version, 4.0, degrees, lean);
            let (width, pixels) = (drawn.frame.width(), drawn.frame.pixels());
            let mirrored = pixels.chunks(width).flat_map(|row| row.iter().rev().copied()).collect();
            let inverted = pixels.iter().map(|v| 255 - v).collect();
            let mut decoder = Decoder::new(Settings::thorough());
            for (i, picture) in [pixels.to_vec(), mirrored, inverted].into_iter().enumerate() {
                decoder.forget();
                let seen = decoder.look(&Luma::new(width, drawn.frame.height(), picture));
                let texts: Vec<_> = seen.codes.iter().map(Found::text).collect();
                assert_eq!(texts, [TEXT], "version {version} at {degrees} degrees, picture {i}");
            }
        }
    }

    #[test]
    fn a_hidden_finder_does_not_hide_the_code() {
        let drawn = draw(6, 5.0, 10.0, 0.1);
        let width = drawn.frame.width();
        for hidden in [[3.5, 3.5], [37.5, 3.5], [3.5, 37.5]] {
            let [x, y] = drawn.truth.map(hidden);
            let mut pixels = drawn.frame.pixels().to_vec();
            for (i, pixel) in pixels.iter_mut().enumerate() {
                if (i % width) as f32 - x < 15.0
                    && x - (i % width) as f32 <= 15.0
                    && ((i / width) as f32 - y).abs() < 15.0
                {
                    *pixel = 120;
                }
            }
            let mut decoder = Decoder::new(Settings::thorough());
            assert_eq!(decoder.look(&Luma::new(width, width, pixels)).codes.len(), 1, "without {hidden:?}");
        }
    }

    #[test]
    fn a_code_that_stays_in_view_does_not_hide_one_that_comes() {
        let drawn = draw(2, 5.0, 0.0, 0.0);
        let (width, height) = (drawn.frame.width(), drawn.frame.height());
        let code = qrcode::QrCode::new("TG1:ANOTHER").unwrap();
        let other: image::GrayImage = code.render::<image::Luma<u8>>().module_dimensions(4, 4).build();
        let beside = |with: bool| {
            let mut pixels = vec![220; 2 * width * height];
            for y in 0..height {
                pixels[2 * y * width..][..width].copy_from_slice(&drawn.frame.pixels()[y * width..][..width]);
            }
            for (x, y, light) in other.enumerate_pixels().filter(|_| with) {
                pixels[(y as usize + 10) * 2 * width + width + x as usize] = light.0[0];
            }
            Luma::new(2 * width, height, pixels)
        };
        let mut decoder = Decoder::new(Settings::default());
        (0..5).for_each(|_| assert_eq!(decoder.look(&beside(false)).codes.len(), 1));
        let most = (0..EVERY).map(|_| decoder.look(&beside(true)).codes.len()).max();
        assert_eq!(most, Some(2));
    }

    #[test]
    fn what_is_not_read_is_hinted_at() {
        let drawn = draw(6, 5.0, 0.0, 0.0);
        let width = drawn.frame.width();
        // Only the upper half of the code is in the frame.
        let half = Luma::new(width, width / 2, drawn.frame.pixels()[..width * (width / 2)].to_vec());
        let mut decoder = Decoder::new(Settings::default());
        let seen = decoder.look(&half);
        assert_eq!(seen.codes, []);
        assert!(seen.hints.finders >= 2 && (seen.hints.module - 5.0).abs() < 1.0, "{:?}", seen.hints);
    }
}
