//! Finding names by what people type: characters, pinyin, initials, a mixture, and each of them with mistakes.
//!
//! Two steps. An index of small features (characters, syllables, pairs of letters) chooses some hundred names that share the most and
//! the rarest ones with the query. Each of these is then aligned with it, and the cheapest alignment is what counts: what a person
//! rightly leaves out or abbreviates costs little, what must be a mistake costs more. Nothing is drawn by chance, and all is bounded.

use std::collections::HashMap;

use super::sound::{LONGEST, Readings, SOUNDS, Syllable, essence};

/// Characters of a query or a name that are looked at. It stops texts that would cost quadratic time.
pub(super) const LONG: usize = 64;
/// Names that are aligned with a query. Twice as many find no more, by the bench.
const CANDIDATES: usize = 160;

/// Words that say only what kind of place a name means: people add them, leave them out and mix them up.
const KINDS: [(&str, &str); 12] = [
    ("小区", "xiaoqu"),
    ("家园", "jiayuan"),
    ("社区", "shequ"),
    ("花园", "huayuan"),
    ("家属院", "jiashuyuan"),
    ("公寓", "gongyu"),
    ("住宅区", "zhuzhaiqu"),
    ("居委会", "juweihui"),
    ("村委会", "cunweihui"),
    ("新村", "xincun"),
    ("小村", "xiaocun"),
    ("村", "cun"),
];

/// What alignments cost, in hundredths of a wrong character.
mod cost {
    /// Another character of the same sound: 区江 for 曲江.
    pub(super) const SAME_SOUND: u16 = 30;
    /// Another character of a similar sound.
    pub(super) const ALIKE: u16 = 45;
    /// Another character.
    pub(super) const WRONG: u16 = 100;
    /// Two neighbours exchanged.
    pub(super) const EXCHANGED: u16 = 60;
    /// A character of the name that the query lacks, between others.
    pub(super) const MISSING: u16 = 60;
    /// A character of the query that the name lacks.
    pub(super) const EXTRA: u16 = 85;
    /// The same for a letter.
    pub(super) const EXTRA_LETTER: u16 = 50;
    /// A character of a word for a kind, missing or extra.
    pub(super) const KIND: u16 = 10;
    /// The same for a letter.
    pub(super) const KIND_LETTER: u16 = 4;
    /// Only the initial of a syllable.
    pub(super) const INITIAL: u16 = 6;
    /// The beginning of a syllable.
    pub(super) const BEGUN: u16 = 12;
    /// A syllable as it sounds in some mouths.
    pub(super) const BLURRED: u16 = 25;
    /// A syllable with a wrong, missing, extra or exchanged letter.
    pub(super) const MISTYPED: u16 = 55;
    /// The same for one of two letters.
    pub(super) const MISTYPED_SHORT: u16 = 75;
    /// A wrong initial.
    pub(super) const WRONG_INITIAL: u16 = 90;
    /// What a character of the query may cost, for the whole to be shown. Two characters with one wrong are too little.
    pub(super) const ALLOWED: u16 = 40;
    /// What a letter may cost.
    pub(super) const ALLOWED_LETTER: u16 = 25;
    /// What a query may cost at most.
    pub(super) const ALLOWED_MOST: u16 = 320;
}

/// An impossible alignment.
const NEVER: u16 = u16::MAX;

/// A character of a name.
#[derive(Debug, Clone, Copy)]
struct Character {
    c: char,
    readings: Readings,
    /// Whether it belongs to one of [`KINDS`].
    kind: bool,
}

/// A text as it is searched.
#[derive(Debug, Clone)]
pub(super) struct Written(Vec<Character>);

impl Written {
    pub(super) fn of(text: &str) -> Self {
        Self::of_essence(&essence(text, LONG))
    }

    pub(super) fn of_essence(text: &[char]) -> Self {
        let said = saying(text);
        Self(
            text.iter()
                .enumerate()
                .map(|(at, c)| Character { c: *c, readings: Readings::of(*c), kind: at >= said })
                .collect(),
        )
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// How many characters there are before the words for a kind at the end; at least one.
fn saying(text: &[char]) -> usize {
    let mut end = text.len();
    // As in 曲江村小区.
    for _ in 0..2 {
        let word = KINDS.iter().flat_map(|(zh, pinyin)| [*zh, *pinyin]).find(|word| {
            let len = word.chars().count();
            end > len && text[..end].iter().rev().take(len).copied().eq(word.chars().rev())
        });
        match word {
            Some(word) => end -= word.chars().count(),
            None => break,
        }
    }
    end
}

/// Whether a text is nothing but a word for a kind.
pub(super) fn is_kind(text: &[char]) -> bool {
    let is = |word: &str| word.chars().eq(text.iter().copied());
    KINDS.iter().any(|(zh, pinyin)| is(zh) || is(pinyin))
}

/// What names and queries have in common, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Feature {
    /// A character.
    Character(char),
    /// A reading of a character.
    Sound(Syllable),
    /// Two letters that may follow each other where syllables are typed wholly, by their initials, or both.
    Letters(u8, u8),
    /// A letter that a character's reading begins with.
    Initial(u8),
    /// The same of the first character.
    First(u8),
}

/// A name that was found. What it is the name of, the caller knows by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match {
    /// The name's number, in the order of [`Index::of`].
    pub(super) name: u32,
    /// What the alignment costs; 0 is the very name.
    pub(super) cost: u16,
}

/// Names that can be searched.
pub(super) struct Index {
    names: Vec<Written>,
    found_in: HashMap<Feature, Vec<u32>>,
}

impl Index {
    pub(super) fn of(names: Vec<Written>) -> Self {
        let mut found_in: HashMap<Feature, Vec<u32>> = HashMap::new();
        let mut features = Vec::new();
        for (number, name) in (0_u32..).zip(&names) {
            features.clear();
            features_of_name(name, &mut features);
            features.sort_unstable();
            features.dedup();
            for feature in &features {
                found_in.entry(*feature).or_default().push(number);
            }
        }
        Self { names, found_in }
    }

    /// The names that `query` may mean, in no particular order.
    pub(super) fn find(&self, query: &Written) -> Vec<Match> {
        let mut alignment = Alignment::of(query);
        self.candidates(query)
            .into_iter()
            .filter_map(|name| {
                let cost = alignment.cost(self.names.get(usize::try_from(name).ok()?)?)?;
                Some(Match { name, cost })
            })
            .collect()
    }

    /// The names that share most with the query.
    fn candidates(&self, query: &Written) -> Vec<u32> {
        let mut features = Vec::new();
        features_of_query(query, &mut features);
        features.sort_unstable();
        features.dedup_by_key(|(feature, _)| *feature);
        let mut shared = vec![0_u32; self.names.len()];
        for (feature, weight) in features {
            let Some(names) = self.found_in.get(&feature) else { continue };
            let weight = weight * (1 + (self.names.len() / names.len()).checked_ilog2().unwrap_or(0));
            for name in names {
                if let Some(shared) = usize::try_from(*name).ok().and_then(|name| shared.get_mut(name)) {
                    *shared += weight;
                }
            }
        }
        // The most in common first, then the shorter name. What has much less in common than the best is not looked at.
        let least = (shared.iter().max().copied().unwrap_or(0) / 4).max(1);
        let mut best: Vec<(u32, usize, u32)> = (0_u32..)
            .zip(shared.iter().zip(&self.names))
            .filter(|(_, (shared, _))| **shared >= least)
            .map(|(number, (shared, name))| (u32::MAX - shared, name.len(), number))
            .collect();
        if best.len() > CANDIDATES {
            best.select_nth_unstable(CANDIDATES);
            best.truncate(CANDIDATES);
        }
        best.into_iter().map(|(_, _, number)| number).collect()
    }
}

fn features_of_name(name: &Written, into: &mut Vec<Feature>) {
    let letters = |c: &Character| -> Vec<String> {
        if c.c.is_ascii_lowercase() {
            return vec![c.c.to_string()];
        }
        c.readings.iter().map(|s| SOUNDS.letters(s).to_owned()).collect()
    };
    let mut before: [Vec<String>; 2] = [Vec::new(), Vec::new()];
    for (at, c) in name.0.iter().enumerate() {
        into.push(Feature::Character(c.c));
        into.extend(c.readings.iter().map(Feature::Sound));
        let readings = letters(c);
        for reading in &readings {
            let bytes = reading.as_bytes();
            into.extend(bytes.windows(2).map(|pair| Feature::Letters(pair[0], pair[1])));
            let first = bytes[0];
            into.push(Feature::Initial(first));
            if at == 0 {
                into.push(Feature::First(first));
            }
            // After the whole syllable before, after its initial, and after the initial before that: one may be left out.
            for earlier in &before[0] {
                let bytes = earlier.as_bytes();
                into.push(Feature::Letters(bytes[bytes.len() - 1], first));
                into.push(Feature::Letters(bytes[0], first));
            }
            into.extend(before[1].iter().map(|earlier| Feature::Letters(earlier.as_bytes()[0], first)));
        }
        let [last, _] = before;
        before = [readings, last];
    }
}

fn features_of_query(query: &Written, into: &mut Vec<(Feature, u32)>) {
    let letter = |c: &Character| u8::try_from(c.c).ok().filter(u8::is_ascii_lowercase);
    let at = |i: usize| query.0.get(i).and_then(letter);
    for (i, c) in query.0.iter().enumerate() {
        let Some(letter) = letter(c) else {
            into.push((Feature::Character(c.c), 3));
            into.extend(c.readings.iter().map(|s| (Feature::Sound(s), 2)));
            continue;
        };
        match at(i + 1) {
            Some(next) => into.push((Feature::Letters(letter, next), 1)),
            // One alone, as in 曲j.
            None if i == 0 || at(i - 1).is_none() => {
                into.push((Feature::Initial(letter), 1));
                if i == 0 {
                    into.push((Feature::First(letter), 1));
                }
            }
            None => {}
        }
    }
}

/// Letters of a query that may be a syllable.
struct Letters {
    plain: String,
    /// See [`Sounds::blurred`](super::sound::Sounds::blurred).
    blurred: Option<Syllable>,
}

/// A query, to be aligned with one name after the other.
struct Alignment<'a> {
    query: &'a [Character],
    /// What the whole may cost.
    allowed: u16,
    /// The one, two and more letters from each place of the query on, up to the next character.
    letters: Vec<Vec<Letters>>,
    /// What it costs to take the letters at a place for a syllable, by how many are taken; by place, then by syllable.
    spoken: Vec<Option<[u16; LONGEST + 2]>>,
    /// The cheapest way to have used up so much of the query and so much of the name; by query, then by name.
    cheapest: Vec<u16>,
}

impl<'a> Alignment<'a> {
    fn of(query: &'a Written) -> Self {
        let query = query.0.as_slice();
        let letters = (0..query.len())
            .map(|at| {
                let run = query[at..].iter().map(|c| c.c).take_while(char::is_ascii_lowercase).take(LONGEST + 1);
                let run: String = run.collect();
                (1..=run.len())
                    .map(|taken| Letters { plain: run[..taken].to_owned(), blurred: SOUNDS.blurred(&run[..taken]) })
                    .collect()
            })
            .collect();
        let each = |c: &Character| if c.c.is_ascii_lowercase() { cost::ALLOWED_LETTER } else { cost::ALLOWED };
        let allowed = query.iter().map(each).sum::<u16>().min(cost::ALLOWED_MOST);
        Self { query, allowed, letters, spoken: vec![None; query.len() * SOUNDS.all.len()], cheapest: Vec::new() }
    }

    /// What the cheapest alignment with `name` costs, if it is cheap enough.
    fn cost(&mut self, name: &Written) -> Option<u16> {
        let (query, name) = (self.query, name.0.as_slice());
        let width = name.len() + 1;
        self.cheapest.clear();
        self.cheapest.resize((query.len() + 1) * width, NEVER);
        for (skipped, cell) in self.cheapest.iter_mut().take(width).enumerate() {
            *cell = before(skipped);
        }
        for at in 0..query.len() {
            for of in 0..width {
                let so_far = self.cheapest[at * width + of];
                if so_far <= self.allowed {
                    self.go_on(so_far, at, of, name);
                }
            }
        }
        let last = &self.cheapest[query.len() * width..];
        let ends = last.iter().enumerate().filter(|(_, cost)| **cost <= self.allowed);
        ends.map(|(used, cost)| cost + after(&name[used..])).min()
    }

    /// All steps from one place.
    fn go_on(&mut self, so_far: u16, at: usize, of: usize, name: &[Character]) {
        let typed = self.query[at];
        let is_letter = typed.c.is_ascii_lowercase();
        let extra = match (typed.kind, is_letter) {
            (true, true) => cost::KIND_LETTER,
            (true, false) => cost::KIND,
            (false, true) => cost::EXTRA_LETTER,
            (false, false) => cost::EXTRA,
        };
        let width = name.len() + 1;
        let reach = |cheapest: &mut Vec<u16>, at: usize, of: usize, cost: u16| {
            if let Some(cell) = cheapest.get_mut(at * width + of) {
                *cell = (*cell).min(so_far.saturating_add(cost));
            }
        };
        reach(&mut self.cheapest, at + 1, of, extra);
        let Some(meant) = name.get(of) else { return };
        // Before the first typed character the row says what it costs to begin later.
        if at > 0 {
            reach(&mut self.cheapest, at, of + 1, if meant.kind { cost::KIND } else { cost::MISSING });
        }
        let next = (self.query.get(at + 1), name.get(of + 1));
        if !is_letter {
            reach(&mut self.cheapest, at + 1, of + 1, differ(&typed, meant));
            if let (Some(typed_next), Some(meant_next)) = next {
                let both = differ(&typed, meant_next).saturating_add(differ(typed_next, meant));
                if both < cost::WRONG && typed.c != typed_next.c {
                    reach(&mut self.cheapest, at + 2, of + 2, both + cost::EXCHANGED);
                }
            }
            return;
        }
        if typed.c == meant.c {
            reach(&mut self.cheapest, at + 1, of + 1, 0);
        }
        reach(&mut self.cheapest, at + 1, of + 1, cost::WRONG_INITIAL);
        for syllable in meant.readings.iter() {
            let spoken = self.spoken(at, syllable);
            for (taken, cost) in spoken.into_iter().enumerate().filter(|(_, cost)| *cost != NEVER) {
                reach(&mut self.cheapest, at + taken, of + 1, cost);
            }
        }
        if let (Some(typed_next), Some(meant_next)) = next
            && typed.c != typed_next.c
            && begins(meant, typed_next.c)
            && begins(meant_next, typed.c)
        {
            reach(&mut self.cheapest, at + 2, of + 2, cost::EXCHANGED + 2 * cost::INITIAL);
        }
    }

    fn spoken(&mut self, at: usize, syllable: Syllable) -> [u16; LONGEST + 2] {
        let letters = &self.letters[at];
        let known = &mut self.spoken[at * SOUNDS.all.len() + usize::from(syllable)];
        *known.get_or_insert_with(|| {
            let mut costs = [NEVER; LONGEST + 2];
            for (cost, typed) in costs[1..].iter_mut().zip(letters) {
                *cost = take(typed, syllable);
            }
            costs
        })
    }
}

/// What it costs to take `typed` for a syllable.
fn take(typed: &Letters, syllable: Syllable) -> u16 {
    let sound = &SOUNDS.all[usize::from(syllable)];
    let (typed, blurred, meant) = (typed.plain.as_bytes(), typed.blurred, sound.letters.as_bytes());
    if typed == meant {
        0
    } else if meant.starts_with(typed) {
        let initial = typed.len() == 1 || matches!(typed, b"zh" | b"ch" | b"sh");
        if initial { cost::INITIAL } else { cost::BEGUN }
    } else if typed.len() < 2 {
        NEVER
    } else if blurred == Some(sound.blurred) {
        cost::BLURRED
    } else if !one_mistake(typed, meant) {
        NEVER
    } else if meant.len() > 2 {
        cost::MISTYPED
    } else {
        cost::MISTYPED_SHORT
    }
}

/// Whether one letter is wrong, missing or too much, or two neighbours are exchanged.
fn one_mistake(a: &[u8], b: &[u8]) -> bool {
    if a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let begin = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[begin..], &b[begin..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    match (&a[..a.len() - end], &b[..b.len() - end]) {
        ([a1, a2], [b1, b2]) => a1 == b2 && a2 == b1,
        (a, b) => a.len() <= 1 && b.len() <= 1,
    }
}

fn differ(typed: &Character, meant: &Character) -> u16 {
    if typed.c == meant.c {
        0
    } else if typed.readings.same(&meant.readings) {
        cost::SAME_SOUND
    } else if typed.readings.alike(&meant.readings) {
        cost::ALIKE
    } else {
        cost::WRONG
    }
}

fn begins(c: &Character, letter: char) -> bool {
    c.readings.iter().any(|s| SOUNDS.letters(s).starts_with(letter))
}

/// What it costs that the query begins later than the name: little, people leave the developer or the street out.
fn before(skipped: usize) -> u16 {
    match skipped {
        0 => 0,
        _ => 12 + 4 * u16::try_from(skipped).unwrap_or(u16::MAX).min(6),
    }
}

/// What it costs that the name goes on: little, people stop typing when they see what they mean.
fn after(rest: &[Character]) -> u16 {
    rest.iter().map(|c| if c.kind { 2 } else { 3 }).sum::<u16>().min(24)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(query: &str, name: &str) -> Option<u16> {
        Alignment::of(&Written::of(query)).cost(&Written::of(name))
    }

    #[test]
    fn what_is_likelier_meant_costs_less() {
        // Each query with names from the likeliest on.
        for (query, names) in [
            ("曲江花园", vec!["曲江花园", "曲江家园", "曲江南花园"]),
            ("区江花园", vec!["曲江花园", "灞江花园"]),
            ("紫薇", vec!["紫薇", "紫薇小区", "紫薇田园都市", "高科紫薇"]),
            ("qujiang", vec!["曲江", "曲江花园", "区间花园"]),
            ("qj", vec!["曲江", "曲江花园"]),
            ("changan", vec!["长安", "长安新城", "张安"]),
            ("lvdi", vec!["绿地", "绿地世纪城"]),
        ] {
            let costs: Vec<Option<u16>> = names.iter().map(|name| cost(query, name)).collect();
            assert!(costs.iter().flatten().is_sorted() && costs[0].is_some(), "{query}: {costs:?}");
            assert!(costs.windows(2).all(|pair| pair[0] != pair[1]), "{query}: {costs:?}");
        }
    }

    #[test]
    fn what_has_nothing_in_common_is_not_meant() {
        for (query, name) in
            [("火星", "曲江"), ("曲水", "曲江"), ("hello", "曲江花园"), ("曲江花园", "雁塔村"), ("zzz", "曲江")]
        {
            assert_eq!(cost(query, name), None, "{query} {name}");
        }
    }

    #[test]
    fn one_mistake_is_told_from_two() {
        for (typed, meant, one) in [
            ("jiang", "jiang", true),
            ("jiamg", "jiang", true),
            ("jiag", "jiang", true),
            ("jinag", "jiang", true),
            ("jjiang", "jiang", true),
            ("xiang", "jiang", true),
            ("jaing", "jiang", true),
            ("jinga", "jiang", false),
            ("jia", "jiang", false),
            ("xiamg", "jiang", false),
            ("aa", "a", true),
        ] {
            assert_eq!(one_mistake(typed.as_bytes(), meant.as_bytes()), one, "{typed} {meant}");
        }
    }

    #[test]
    fn words_for_a_kind_are_told_from_the_name() {
        for (text, said) in
            [("紫薇花园小区", 2), ("村", 1), ("小区", 2), ("郭家村", 2), ("qujiangxiaoqu", 7), ("曲江", 2)]
        {
            assert_eq!(saying(&essence(text, LONG)), said, "{text}");
        }
    }
}
