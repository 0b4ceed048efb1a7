//! Where people live: the city's districts and zones, and its communities, found by whatever people type for them.
//!
//! - [`region`]: the districts and the development zones, which people mix up.
//! - [`search`]: names found by characters, pinyin, initials, and all of these with mistakes; [`sound`] knows what they sound like.
//! - [`import`]: communities from a CSV file.
//!
//! No I/O but the reader that an import is given, no clock, no chance: the same words find the same places.

pub mod import;
pub mod region;
mod search;
mod sound;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::lang::Text;
use region::{Region, RegionKind};
use search::{Index, LONG, Match, Written, is_kind};
use sound::{Readings, SOUNDS, essence};

/// Places shown for a query.
pub const PLACES_SHOWN: usize = 8;

/// Former names of a place that are kept.
pub const ALIASES_KEPT: usize = 8;

/// A community.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// The code of its [`Region`], or empty.
    pub region: String,
    /// Its old names. Those after the first [`ALIASES_KEPT`] are not searched.
    pub aliases: Vec<String>,
}

/// A name in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// A place as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its number.
    pub id: u32,
    /// Its name today.
    pub name: String,
    /// The district or zone it is listed under, if that is known.
    pub region: Option<Named>,
    /// What whoever sees it should know: the old name that it was found by, and beside which districts its zone lies.
    pub note: Option<Text>,
}

/// Communities that can be found.
pub struct Places {
    all: Vec<Place>,
    by_id: HashMap<u32, usize>,
    index: Index,
    /// What each name of the index is the name of.
    names: Vec<NameOf>,
}

/// Whose name it is, and which of the old names, if it is one.
#[derive(Debug, Clone, Copy)]
struct NameOf {
    place: usize,
    alias: Option<usize>,
}

impl Places {
    /// Makes `all` searchable: about a tenth of a second for 10,000. Of two with one id the first counts.
    pub fn of(all: Vec<Place>) -> Self {
        let (mut names, mut written, mut by_id) = (Vec::new(), Vec::new(), HashMap::new());
        for (place, of) in all.iter().enumerate() {
            if by_id.contains_key(&of.id) {
                continue;
            }
            by_id.insert(of.id, place);
            names.push(NameOf { place, alias: None });
            written.push(Written::of(&of.name));
            for (alias, name) in of.aliases.iter().enumerate().take(ALIASES_KEPT) {
                names.push(NameOf { place, alias: Some(alias) });
                written.push(Written::of(name));
            }
        }
        Self { all, by_id, index: Index::of(written), names }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The place with this id.
    pub fn get(&self, id: u32) -> Option<Found> {
        Some(shown(self.all.get(*self.by_id.get(&id)?)?, None))
    }

    /// The places that `query` may mean, the likeliest first, at most `limit`. Any text will do; its first 64 characters count.
    pub fn find(&self, query: &str, limit: usize) -> Vec<Found> {
        let mut best: HashMap<usize, (u16, Option<usize>)> = HashMap::new();
        for asked in asked(&essence(query, LONG)) {
            for Match { name, cost } in self.index.find(&asked.name) {
                let Some(NameOf { place, alias }) = usize::try_from(name).ok().and_then(|name| self.names.get(name))
                else {
                    continue;
                };
                // The name of today goes before an old one.
                let cost = cost + self.elsewhere(*place, asked.region) + if alias.is_some() { 8 } else { 0 };
                let known = best.entry(*place).or_insert((cost, *alias));
                if cost < known.0 {
                    *known = (cost, *alias);
                }
            }
        }
        let mut found: Vec<(u16, usize, u32, &Place, Option<usize>)> = best
            .into_iter()
            .filter_map(|(place, (cost, alias))| self.all.get(place).map(|place| (cost, alias, place)))
            .map(|(cost, alias, place)| (cost, place.name.len(), place.id, place, alias))
            .collect();
        found.sort_unstable_by_key(|(cost, length, id, ..)| (*cost, *length, *id));
        let old = |place: &Place, alias: Option<usize>| alias.and_then(|alias| place.aliases.get(alias).cloned());
        found.into_iter().take(limit).map(|(.., place, alias)| shown(place, old(place, alias))).collect()
    }

    /// What it costs that the query names a region. A place elsewhere is shown all the same: people mix regions up.
    fn elsewhere(&self, place: usize, asked: Option<&Region>) -> u16 {
        let Some(asked) = asked else { return 0 };
        match self.all.get(place).and_then(|place| Region::of(&place.region)) {
            Some(region) if region.code == asked.code => 2,
            Some(region) if region.meets(asked) => 4,
            None => 12,
            Some(_) => 40,
        }
    }
}

fn shown(place: &Place, old: Option<String>) -> Found {
    let region = Region::of(&place.region);
    let zone = region.filter(|region| region.kind == RegionKind::Zone).and_then(Region::explained);
    let note = match (old.map(|old| Text::of(format!("原名{old}。"), format!("Formerly {old}."))), zone) {
        (Some(old), Some(zone)) => Some(Text::of(format!("{}{}", old.zh, zone.zh), format!("{} {}", old.en, zone.en))),
        (old, zone) => old.or(zone),
    };
    let region = region.map(|region| Named { zh: region.zh.to_owned(), en: region.en.to_owned() });
    Found { id: place.id, name: place.name.clone(), region, note }
}

/// One way to read a query.
struct Asked {
    name: Written,
    /// The region named before the name.
    region: Option<&'static Region>,
}

/// The ways to read a query: as it is, and without the city and the region at its beginning. At most six.
fn asked(query: &[char]) -> Vec<Asked> {
    let mut ways: Vec<(&[char], Option<&'static Region>)> = vec![(query, None)];
    if let Some(rest) = CITY.iter().find_map(|city| query.strip_prefix(city.as_slice())) {
        ways.push((rest, None));
    }
    for (text, _) in ways.clone() {
        let regions =
            REGION_WORDS.iter().filter_map(|(word, region)| Some((text.strip_prefix(word.as_slice())?, *region)));
        ways.extend(regions.take(2).map(|(rest, region)| (rest, Some(region))));
    }
    ways.retain(|(rest, region)| !rest.is_empty() && (region.is_none() || (rest.len() > 1 && !is_kind(rest))));
    ways.into_iter().map(|(rest, region)| Asked { name: Written::of_essence(rest), region }).collect()
}

/// What the city is called before a district, the longest first.
static CITY: LazyLock<Vec<Vec<char>>> =
    LazyLock::new(|| ["陕西省西安市", "陕西西安", "西安市", "西安"].into_iter().flat_map(spellings).collect());

/// The words for each region, in characters and in pinyin, the longest first.
static REGION_WORDS: LazyLock<Vec<(Vec<char>, &'static Region)>> = LazyLock::new(|| {
    let names = |region: &'static Region| [region.zh].into_iter().chain(region.names.iter().copied());
    let mut words: Vec<(Vec<char>, &'static Region)> = Region::all()
        .iter()
        .flat_map(|region| names(region).flat_map(spellings).map(move |word| (word, region)))
        .collect();
    words.sort_by_key(|(word, _)| usize::MAX - word.len());
    words
});

/// A name of the city or of a region in characters and in pinyin, by all readings (长安: changan, zhangan); at most 17.
fn spellings(name: &str) -> Vec<Vec<char>> {
    let mut pinyin: Vec<Vec<char>> = vec![Vec::new()];
    for readings in name.chars().map(Readings::of) {
        pinyin = pinyin
            .iter()
            .flat_map(|begun| readings.iter().map(|s| begun.iter().copied().chain(SOUNDS.letters(s).chars()).collect()))
            .take(16)
            .collect();
    }
    pinyin.push(essence(name, LONG));
    pinyin
}

#[cfg(test)]
#[path = "../../benches/town/mod.rs"]
mod town;

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn place(id: u32, name: &str, region: &str, aliases: &[&str]) -> Place {
        let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        Place { id, name: name.to_owned(), region: region.to_owned(), aliases }
    }

    fn places() -> Places {
        Places::of(vec![
            place(1, "曲江花园", "qujiang", &[]),
            place(2, "长安新城", "610116", &["韦曲老街小区"]),
            place(3, "紫薇田园都市", "gaoxin", &[]),
            place(4, "金地湖城大境", "qujiang", &[]),
            place(5, "重华府", "610113", &[]),
            place(6, "二府庄村", "610112", &[]),
            place(7, "大雁塔社区", "610113", &[]),
            place(8, "绿地世纪城", "gaoxin", &[]),
            place(9, "K-Park 公寓", "", &[]),
            place(10, "民乐社区", "610102", &[]),
            place(11, "民乐社区", "610113", &[]),
            place(12, "205所社区", "610113", &["二零五所家属院"]),
        ])
    }

    fn first(query: &str) -> Option<u32> {
        places().find(query, PLACES_SHOWN).first().map(|found| found.id)
    }

    #[test]
    fn a_place_is_found_however_it_is_typed() {
        for (query, id) in [
            // Characters, pinyin, initials, mixed; with spaces, capitals, tones and full width.
            ("曲江花园", 1),
            ("qujianghuayuan", 1),
            ("Qǔ Jiāng Huā Yuán", 1),
            ("ＱＪＨＹ", 1),
            ("曲jiang花y", 1),
            ("qujhy", 1),
            ("紫薇tianyuan", 3),
            ("zwtyds", 3),
            ("kpark", 9),
            // Heteronyms, in both readings.
            ("changanxincheng", 2),
            ("zhanganxincheng", 2),
            ("chonghuafu", 5),
            ("zhonghuafu", 5),
            ("lvdi", 8),
            ("ludishijicheng", 8),
            // Wrong, missing, exchanged; of the same and of a similar sound.
            ("区江花园", 1),
            ("取将花园", 1),
            ("曲花园", 1),
            ("江曲花园", 1),
            ("曲江化院", 1),
            ("紫薇田院都市", 3),
            ("紫薇田都市", 3),
            ("紫薇园田都市", 3),
            ("qujinaghuayuan", 1),
            ("qujianhuayuan", 1),
            ("qujiamghuayuan", 1),
            ("ziweitianyuandusi", 3),
            ("zwtydx", 3),
            ("ztwyds", 3),
            // With and without what kind it is, the district and the city.
            ("曲江花园小区", 1),
            ("二府庄", 6),
            ("二府庄社区", 6),
            ("西安市雁塔区大雁塔", 7),
            ("雁塔区民乐社区", 11),
            ("新城区民乐", 10),
            ("yantaquminle", 11),
            ("西安xinchengminle", 10),
            ("高新紫薇田园都市", 3),
            ("未央区高新区紫薇田园", 3),
            // Old names, and digits for numerals.
            ("韦曲老街", 2),
            ("weiqulaojie", 2),
            ("二〇五所", 12),
            ("205", 12),
        ] {
            assert_eq!(first(query), Some(id), "{query}");
        }
    }

    #[test]
    fn nothing_is_found_for_what_is_no_place() {
        for query in
            ["", "   ", "火星", "😀😀", "'; DROP TABLE community; --", "<script>", "www.example.com", "\u{0}\u{7f}"]
        {
            assert_eq!(first(query), None, "{query:?}");
        }
        assert_eq!(places().find("曲江", 0), []);
    }

    #[test]
    fn a_result_says_its_old_name_and_what_its_zone_is() {
        let found = &places().find("韦曲老街小区", 1)[0];
        assert_eq!((found.name.as_str(), found.note.as_ref().unwrap().zh.as_ref()), ("长安新城", "原名韦曲老街小区。"));
        assert_eq!(
            found.region.as_ref().map(|r| (r.zh.as_str(), r.en.as_str())),
            Some(("长安区", "Chang'an District"))
        );
        // Whoever lives in the zone has another district in the document.
        let zoned = &places().find("雁塔区紫薇田园都市", 1)[0];
        assert_eq!(zoned.id, 3);
        assert!(zoned.note.as_ref().unwrap().zh.contains("雁塔区"), "{:?}", zoned.note);
        assert_eq!(places().get(9).map(|found| (found.region, found.note)), Some((None, None)));
        assert_eq!(places().get(99), None);
    }

    #[test]
    fn regions_are_read_in_pinyin_as_they_are_spoken() {
        for (name, letters) in
            [("西安", "xian"), ("长安", "changan"), ("鄠邑区", "huyiqu"), ("浐灞", "chanba"), ("高陵", "gaoling")]
        {
            let all = spellings(name);
            assert!(all.len() <= 17 && all.contains(&letters.chars().collect()), "{name}: {all:?}");
        }
    }

    #[test]
    fn of_two_places_with_one_id_the_first_counts() {
        let places = Places::of(vec![place(1, "曲江花园", "", &[]), place(1, "雁塔花园", "", &[])]);
        assert_eq!(places.len(), 1);
        assert_eq!(places.get(1).map(|found| found.name), Some("曲江花园".to_owned()));
        assert_eq!(places.find("雁塔花园", 8).iter().filter(|found| found.name == "雁塔花园").count(), 0);
    }

    #[test]
    fn no_text_is_too_much() {
        let places = places();
        for text in ["a", "曲", "😀", "zhuang", "村", "1", "'", "\u{0}", "ü", "雁塔区"] {
            assert!(places.find(&text.repeat(10_000), PLACES_SHOWN).len() <= PLACES_SHOWN);
        }
        let mut dice = town::Dice::new(7);
        let alphabet: Vec<char> =
            "曲江花园长安重雁塔区西市小村社qujianzhx1９ ü😀'\";%_\\\u{0}\u{202e}\u{301}漢𪨶".chars().collect();
        for _ in 0..2_000 {
            let length = dice.below(90);
            let text: String = (0..length).map(|_| alphabet[dice.below(alphabet.len())]).collect();
            places.find(&text, PLACES_SHOWN);
        }
    }

    /// What the city's people may expect: `cargo bench -p tongguan-registry --bench places` tells the figures, and what it costs.
    #[test]
    fn of_200_queries_over_10000_communities_95_in_100_find_theirs_in_the_first_five() {
        let of = |(id, name, region, aliases): town::Row| Place { id, name, region, aliases };
        let places = Places::of(town::communities(10_000).into_iter().map(of).collect());
        let queries = town::queries(200);
        let missed: Vec<String> = queries
            .iter()
            .filter(|query| !places.find(&query.text, 5).iter().any(|found| found.id == query.meant))
            .map(|query| format!("{}: {}", query.how, query.text))
            .collect();
        assert_eq!(queries.len(), 200);
        assert!(
            missed.len() * 100 <= queries.len() * 5,
            "{} of {} were missed: {missed:#?}",
            missed.len(),
            queries.len()
        );
    }
}
