//! How names are written and how they sound: what is left of a text for searching, and the readings of its characters.

use std::collections::HashMap;
use std::sync::LazyLock;

use pinyin::ToPinyinMulti as _;

/// A syllable without its tone, by its number in [`SOUNDS`].
pub(super) type Syllable = u16;

/// Readings of a character that are tried. Characters in use have at most four; the rest are dictionary curiosities.
const READINGS: usize = 4;
/// The longest syllable, such as `zhuang`.
pub(super) const LONGEST: usize = 6;

/// The readings of one character.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Readings {
    all: [Syllable; READINGS],
    len: u8,
}

impl Readings {
    /// Those of `c`; none, if it is not a Chinese character.
    pub(super) fn of(c: char) -> Self {
        let mut readings = Self::default();
        for syllable in c.to_pinyin_multi().into_iter().flatten().filter_map(|p| SOUNDS.number(p.plain())) {
            if usize::from(readings.len) < READINGS && !readings.iter().any(|known| known == syllable) {
                readings.all[usize::from(readings.len)] = syllable;
                readings.len += 1;
            }
        }
        readings
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Syllable> + '_ {
        self.all.iter().copied().take(usize::from(self.len))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether a reading is the same.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.iter().any(|a| other.iter().any(|b| a == b))
    }

    /// Whether a reading sounds the same to people who do not tell z from zh, n from l, or an from ang.
    pub(super) fn alike(&self, other: &Self) -> bool {
        let blurred = |s: Syllable| SOUNDS.all[usize::from(s)].blurred;
        self.iter().any(|a| other.iter().any(|b| blurred(a) == blurred(b)))
    }
}

/// A syllable as it is typed.
pub(super) struct Sound {
    /// `zhuang`; ü is v, as on keyboards.
    pub(super) letters: String,
    /// The number of its [`blur`].
    pub(super) blurred: Syllable,
}

/// All syllables there are.
pub(super) struct Sounds {
    pub(super) all: Vec<Sound>,
    numbers: HashMap<String, Syllable>,
    blurs: HashMap<String, Syllable>,
}

/// Read from the characters that are in use, once.
pub(super) static SOUNDS: LazyLock<Sounds> = LazyLock::new(|| {
    let mut sounds = Sounds { all: Vec::new(), numbers: HashMap::new(), blurs: HashMap::new() };
    for reading in ('\u{4e00}'..='\u{9fff}').filter_map(|c| c.to_pinyin_multi()).flatten() {
        let letters = typed(reading.plain());
        let speakable = letters.len() <= LONGEST && letters.bytes().all(|b| b.is_ascii_lowercase());
        if speakable && !sounds.numbers.contains_key(&letters) {
            let Ok(number) = Syllable::try_from(sounds.all.len()) else { break };
            sounds.numbers.insert(letters.clone(), number);
            let blurred = *sounds.blurs.entry(blur(&letters)).or_insert(number);
            sounds.all.push(Sound { blurred, letters });
        }
    }
    sounds
});

impl Sounds {
    fn number(&self, plain: &str) -> Option<Syllable> {
        self.numbers.get(plain).or_else(|| self.numbers.get(&typed(plain))).copied()
    }

    /// The number of the [`blur`] of what was typed, if a syllable has it.
    pub(super) fn blurred(&self, typed: &str) -> Option<Syllable> {
        self.blurs.get(&blur(typed)).copied()
    }

    /// The letters of a syllable.
    pub(super) fn letters(&self, syllable: Syllable) -> &str {
        &self.all[usize::from(syllable)].letters
    }
}

fn typed(plain: &str) -> String {
    plain.replace('ü', "v")
}

/// What several ways to hear or type a syllable have in common: zh is z, n is l at the beginning, ng is n at the end, v is u.
fn blur(letters: &str) -> String {
    let mut blurred = match letters.as_bytes() {
        [first @ (b'z' | b'c' | b's'), b'h', ..] => format!("{}{}", char::from(*first), &letters[2..]),
        [b'n', _, ..] => format!("l{}", &letters[1..]),
        _ => letters.to_owned(),
    };
    if blurred.len() > 2 && blurred.ends_with("ng") {
        blurred.pop();
    }
    blurred.replace('v', "u")
}

/// What is left of a text for searching: Chinese characters and lower-case letters. Full width becomes half, digits become Chinese
/// numerals (1期, 一期), tone marks go, and so does everything else.
pub(super) fn essence(text: &str, limit: usize) -> Vec<char> {
    text.chars().take(limit).filter_map(essential).collect()
}

fn essential(c: char) -> Option<char> {
    const NUMERALS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
    let narrow = match u32::from(c) {
        wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xfee0)?,
        _ => c,
    };
    if let Some(digit) = narrow.to_digit(10) {
        return usize::try_from(digit).ok().map(|digit| NUMERALS[digit]);
    }
    match narrow {
        'a'..='z' => Some(narrow),
        'A'..='Z' => Some(narrow.to_ascii_lowercase()),
        '〇' => Some('零'),
        'ā' | 'á' | 'ǎ' | 'à' => Some('a'),
        'ē' | 'é' | 'ě' | 'è' => Some('e'),
        'ī' | 'í' | 'ǐ' | 'ì' => Some('i'),
        'ō' | 'ó' | 'ǒ' | 'ò' => Some('o'),
        'ū' | 'ú' | 'ǔ' | 'ù' => Some('u'),
        'ü' | 'ǖ' | 'ǘ' | 'ǚ' | 'ǜ' => Some('v'),
        _ => (!Readings::of(narrow).is_empty()).then_some(narrow),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(c: char) -> Vec<&'static str> {
        Readings::of(c).iter().map(|s| SOUNDS.letters(s)).collect()
    }

    #[test]
    fn a_character_with_several_readings_has_them_all() {
        for (c, expected) in [('长', vec!["chang", "zhang"]), ('重', vec!["zhong", "chong"]), ('绿', vec!["lv", "lu"])]
        {
            assert!(expected.iter().all(|e| readings(c).contains(e)), "{c}: {:?}", readings(c));
        }
        assert!(readings('a').is_empty());
        assert!((380..=460).contains(&SOUNDS.all.len()), "{}", SOUNDS.all.len());
    }

    #[test]
    fn what_is_alike_is_told_from_what_is_not() {
        for (a, b, alike) in
            [('曲', '区', true), ('张', '脏', true), ('兰', '南', true), ('林', '凌', true), ('雁', '塔', false)]
        {
            assert_eq!(Readings::of(a).alike(&Readings::of(b)), alike, "{a} {b}");
        }
    }

    #[test]
    fn only_what_can_be_searched_is_left() {
        for (text, left) in [
            ("ＡＢc 曲江·1期!", "abc曲江一期"),
            ("qǔ jiāng xīn qū", "qujiangxinqu"),
            ("lǜ地", "lv地"),
            ("'; DROP TABLE community; --", "droptablecommunity"),
            ("😀\u{0}\u{202e}\r\n", ""),
            ("二〇五所", "二零五所"),
        ] {
            assert_eq!(essence(text, 64).iter().collect::<String>(), left, "{text:?}");
        }
        assert_eq!(essence(&"曲".repeat(10_000), 64).len(), 64);
    }
}
