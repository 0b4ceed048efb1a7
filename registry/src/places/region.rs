//! The districts of the city and its development zones, from `data/regions.csv`.
//!
//! A zone is no administrative division: it has no code in GB/T 2260, and the document of someone who lives there names the district
//! beneath. So whoever is shown a zone is told its districts too.

use std::sync::LazyLock;

use crate::lang::Text;

const TABLE: &str = include_str!("../../data/regions.csv");

/// What a region is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionKind {
    /// A district (市辖区).
    District,
    /// A county (县).
    County,
    /// A development zone (开发区), which lies in districts.
    Zone,
}

/// A district, county or development zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Six digits of GB/T 2260; for a zone a word of letters. It never changes.
    pub code: &'static str,
    /// What it is.
    pub kind: RegionKind,
    /// Its name, such as 雁塔区.
    pub zh: &'static str,
    /// Its name in English, such as `Yanta District`.
    pub en: &'static str,
    /// Other names that people write, such as 雁塔, and former ones.
    pub names: Vec<&'static str>,
    /// The codes of the districts that a zone lies in.
    pub districts: Vec<&'static str>,
    /// What of a zone lies outside the city.
    pub beyond: Option<Text>,
}

static REGIONS: LazyLock<Vec<Region>> = LazyLock::new(|| TABLE.lines().filter_map(row).collect());

impl Region {
    /// All of them, districts first.
    pub fn all() -> &'static [Self] {
        &REGIONS
    }

    /// The one with this code.
    pub fn of(code: &str) -> Option<&'static Self> {
        Self::all().iter().find(|region| region.code == code)
    }

    /// The one with this code or one of these names.
    pub fn named(word: &str) -> Option<&'static Self> {
        Self::all().iter().find(|r| r.code == word || r.zh == word || r.names.contains(&word))
    }

    /// Whether what is in one can be in the other: the same, or a zone and a district that it lies in.
    pub fn meets(&self, other: &Self) -> bool {
        self.code == other.code || self.districts.contains(&other.code) || other.districts.contains(&self.code)
    }

    /// What people mix up, in a sentence: a zone beside its districts, a district beside the zones that lie in it. `None` for a
    /// district without a zone.
    pub fn explained(&self) -> Option<Text> {
        if self.kind == RegionKind::Zone {
            let districts: Vec<&Self> = self.districts.iter().filter_map(|code| Self::of(code)).collect();
            let mut zh = join(&districts, "、", |r| r.zh);
            let mut en = join(&districts, ", ", |r| r.en);
            if let Some(beyond) = &self.beyond {
                zh = format!("{zh}，以及{}", beyond.zh);
                en = format!("{en}, and {}", beyond.en);
            }
            return Some(Text::of(
                format!("{}是开发区，不是行政区：它在{zh}的地界里，身份证上写的是行政区。", self.zh),
                format!(
                    "{} ({}) is a development zone, not a district. It lies in {en}; identity cards name the district.",
                    self.en, self.zh
                ),
            ));
        }
        let zones: Vec<&Self> = Self::all().iter().filter(|zone| zone.districts.contains(&self.code)).collect();
        (!zones.is_empty()).then(|| {
            Text::of(
                format!("{}的地界里有{}，那里的小区可能写的是开发区。", self.zh, join(&zones, "、", |r| r.zh)),
                format!(
                    "Parts of {} belong to {}; communities there may be listed under the zone.",
                    self.en,
                    join(&zones, ", ", |r| r.en)
                ),
            )
        })
    }
}

fn join(regions: &[&Region], between: &str, name: fn(&Region) -> &'static str) -> String {
    regions.iter().map(|r| name(r)).collect::<Vec<_>>().join(between)
}

/// A row of the table, in which no field holds a comma.
fn row(line: &'static str) -> Option<Region> {
    let [code, kind, zh, en, names, districts, beyond_zh, beyond_en]: [&str; 8] =
        line.split(',').collect::<Vec<_>>().try_into().ok()?;
    let kind = match kind {
        "district" => RegionKind::District,
        "county" => RegionKind::County,
        "zone" => RegionKind::Zone,
        _ => return None,
    };
    let list = |field: &'static str| field.split('|').filter(|name| !name.is_empty()).collect();
    let beyond = (!beyond_zh.is_empty()).then(|| Text::new(beyond_zh, beyond_en));
    Some(Region { code, kind, zh, en, names: list(names), districts: list(districts), beyond })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_all_districts_and_every_zone_lies_in_some() {
        let of = |kind| Region::all().iter().filter(move |r| r.kind == kind);
        assert_eq!((of(RegionKind::District).count(), of(RegionKind::County).count()), (11, 2));
        let rows = TABLE.lines().filter(|line| !line.starts_with('#')).count() - 1;
        assert_eq!(Region::all().len(), rows, "a row cannot be read");
        for zone in of(RegionKind::Zone) {
            assert!(!zone.districts.is_empty(), "{}", zone.zh);
            assert!(zone.districts.iter().all(|code| Region::of(code).is_some()), "{}", zone.zh);
        }
    }

    #[test]
    fn no_name_means_two_regions() {
        let mut names: Vec<&str> =
            Region::all().iter().flat_map(|r| [r.code, r.zh].into_iter().chain(r.names.clone())).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn a_zone_is_explained_beside_its_districts_and_a_district_beside_its_zones() {
        let gaoxin = Region::named("高新区").and_then(Region::explained).unwrap();
        assert_eq!(
            gaoxin.zh,
            "高新区是开发区，不是行政区：它在雁塔区、长安区、鄠邑区、周至县的地界里，身份证上写的是行政区。"
        );
        assert!(gaoxin.en.contains("Yanta District, Chang'an District"), "{}", gaoxin.en);
        let yanta = Region::of("610113").and_then(Region::explained).unwrap();
        assert!(yanta.zh.contains("高新区、曲江新区"), "{}", yanta.zh);
        let xixian = Region::named("沣东新城").and_then(Region::explained).unwrap();
        assert!(
            xixian.zh.contains("咸阳市") && xixian.en.ends_with("identity cards name the district."),
            "{}",
            xixian.en
        );
        assert_eq!(Region::named("碑林").and_then(Region::explained), None);
    }
}
