//! The policy as people write it: a TOML file. `registry/policy.example.toml` documents every key.

use std::fmt::Write as _;

use serde::Deserialize;
use toml::{Spanned, Value};
use tongguan_pass::policy::{Answer, Edition, ListLimits, Rule, Who};
use tongguan_pass::{Policy, limits};

use crate::domain::policy::{community_words, from_words, parse_time};
use crate::domain::time::rfc3339_local;

/// Bytes of a file that people write.
pub const FILE_BYTES: u64 = 4 << 20;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    utc_offset: Offset,
    #[serde(default)]
    policy: Vec<Spanned<WrittenEdition>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEdition {
    community: u32,
    #[serde(default)]
    from: Time,
    #[serde(default = "Hours::confirm_default")]
    lists_confirm_after_h: Hours,
    #[serde(default = "Hours::never")]
    lists_deny_after_h: Hours,
    #[serde(default)]
    rule: Vec<WrittenRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    #[serde(default)]
    categories: Categories,
    who: WrittenWho,
    #[serde(default)]
    days: Days,
    #[serde(default)]
    hours: DayHours,
    answer: WrittenAnswer,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum WrittenWho {
    Any,
    Own,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum WrittenAnswer {
    Pass,
    Confirm,
    Deny,
}

/// Reads the rules that people have written; surges are not in the file.
///
/// # Errors
/// A text that names the line, and says what is wrong there.
pub fn parse(text: &str) -> Result<Policy, String> {
    let written: Written = toml::from_str(text).map_err(|e| e.to_string().trim_end().to_owned())?;
    let mut editions: Vec<Edition> = Vec::new();
    for edition in written.policy {
        let line = text.get(..edition.span().start).map_or(1, |before| before.matches('\n').count() + 1);
        let edition = edition.into_inner().edition();
        let which = format!("line {line}: the policy for {}", community_words(edition.community));
        if edition.rules.len() > limits::RULES {
            return Err(format!("{which} has {} rules; at most {} are allowed", edition.rules.len(), limits::RULES));
        }
        if edition.lists.deny_after < edition.lists.confirm_after {
            return Err(format!("{which}: lists_deny_after_h must not be less than lists_confirm_after_h"));
        }
        let same: Vec<&Edition> = editions.iter().filter(|e| e.community == edition.community).collect();
        if same.iter().any(|e| e.effective_from == edition.effective_from) {
            return Err(format!(
                "{which} from {} is there twice",
                from_words(edition.effective_from, written.utc_offset.0)
            ));
        }
        if same.len() >= limits::EDITIONS {
            let most = limits::EDITIONS;
            return Err(format!(
                "{which} is one too many; a community has at most {most}: take out those that are over"
            ));
        }
        editions.push(edition);
    }
    Policy::new(written.utc_offset.0, Vec::new(), editions).map_err(|e| format!("a gate would not accept it: it {e}"))
}

/// The rules of a policy as a file that [`parse`] reads.
pub fn write(policy: &Policy) -> String {
    let mut text = String::new();
    let offset = policy.utc_offset();
    let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
    // Writing to a String cannot fail; so too below.
    writeln!(text, "utc_offset = \"{sign}{:02}:{:02}\"", minutes / 60, minutes % 60).ok();
    policy.editions().iter().for_each(|edition| write_edition(&mut text, edition, offset));
    text
}

/// One edition as it stands in a file.
pub fn write_edition(text: &mut String, edition: &Edition, utc_offset: i16) {
    writeln!(text, "\n[[policy]]\ncommunity = {}", edition.community).ok();
    if edition.effective_from != 0 {
        writeln!(text, "from = {}", rfc3339_local(edition.effective_from, utc_offset)).ok();
    }
    let hours = |hours| if hours == ListLimits::NEVER { "\"never\"".to_owned() } else { u16::to_string(&hours) };
    writeln!(text, "lists_confirm_after_h = {}", hours(edition.lists.confirm_after)).ok();
    writeln!(text, "lists_deny_after_h = {}", hours(edition.lists.deny_after)).ok();
    for rule in &edition.rules {
        let categories = match (rule.first, rule.last) {
            (0, u8::MAX) => "\"all\"".to_owned(),
            (one, last) if one == last => one.to_string(),
            (first, last) => format!("\"{first}-{last}\""),
        };
        let who = if rule.who == Who::Own { "own" } else { "any" };
        let days: Vec<String> = days(rule.days).map(|day| format!("\"{day}\"")).collect();
        let (hours, days, answer) = (hours_words(rule), days.join(", "), rule.answer.name());
        writeln!(text, "\n[[policy.rule]]\ncategories = {categories}\nwho = \"{who}\"").ok();
        writeln!(text, "days = [{days}]\nhours = \"{hours}\"\nanswer = \"{answer}\"").ok();
    }
}

/// A rule in a line.
pub fn rule_words(rule: &Rule) -> String {
    let who = if rule.who == Who::Own { "own residents" } else { "anybody" };
    let categories = match (rule.first, rule.last) {
        (0, u8::MAX) => String::new(),
        (one, last) if one == last => format!(" of category {one}"),
        (first, last) => format!(" of categories {first} to {last}"),
    };
    let days = if rule.days == Rule::ALL_DAYS {
        "every day".to_owned()
    } else {
        days(rule.days).collect::<Vec<_>>().join(" ")
    };
    format!("{}: {who}{categories}, {days} {}", rule.answer.name(), hours_words(rule))
}

fn days(mask: u8) -> impl Iterator<Item = &'static str> {
    DAYS.into_iter().enumerate().filter(move |(i, _)| mask >> i & 1 == 1).map(|(_, day)| day)
}

fn hours_words(rule: &Rule) -> String {
    format!("{:02}:{:02}-{:02}:{:02}", rule.from / 60, rule.from % 60, rule.until / 60, rule.until % 60)
}

impl WrittenEdition {
    fn edition(self) -> Edition {
        let lists = ListLimits { confirm_after: self.lists_confirm_after_h.0, deny_after: self.lists_deny_after_h.0 };
        let rules = self.rule.into_iter().map(WrittenRule::rule).collect();
        Edition { community: self.community, effective_from: self.from.0, lists, rules }
    }
}

impl WrittenRule {
    fn rule(self) -> Rule {
        let who = match self.who {
            WrittenWho::Any => Who::Any,
            WrittenWho::Own => Who::Own,
        };
        let answer = match self.answer {
            WrittenAnswer::Pass => Answer::Pass,
            WrittenAnswer::Confirm => Answer::Confirm,
            WrittenAnswer::Deny => Answer::Deny,
        };
        let Categories(first, last) = self.categories;
        let DayHours(from, until) = self.hours;
        Rule { first, last, who, days: self.days.0, from, until, answer }
    }
}

/// `"+08:00"`, in minutes.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Offset(i16);

impl TryFrom<String> for Offset {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let minutes = |sign: i16, rest| clock(rest).map(|m| Self(sign * i16::try_from(m).unwrap_or(i16::MAX)));
        let offset = text.strip_prefix('+').and_then(|rest| minutes(1, rest));
        let offset = offset.or_else(|| text.strip_prefix('-').and_then(|rest| minutes(-1, rest)));
        let known = offset.filter(|o| (-720..=840).contains(&o.0));
        known.ok_or_else(|| format!("{text:?} is not local time minus UTC, such as \"+08:00\" (from -12:00 to +14:00)"))
    }
}

/// A time of effect: a TOML date-time, or the same as a string.
#[derive(Default, Deserialize)]
#[serde(try_from = "Value")]
struct Time(u32);

impl TryFrom<Value> for Time {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::Datetime(at) => parse_time(&at.to_string()),
            Value::String(text) => parse_time(&text),
            other => parse_time(&other.to_string()),
        }
        .map(Self)
    }
}

/// Hours, or `"never"`.
#[derive(Deserialize)]
#[serde(try_from = "Value")]
struct Hours(u16);

impl Hours {
    fn confirm_default() -> Self {
        Self(Edition::built_in().lists.confirm_after)
    }

    fn never() -> Self {
        Self(ListLimits::NEVER)
    }
}

impl TryFrom<Value> for Hours {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let hours = value.as_integer().and_then(|h| u16::try_from(h).ok()).filter(|h| *h != ListLimits::NEVER);
        let never = (value.as_str() == Some("never")).then_some(ListLimits::NEVER);
        hours.or(never).map(Self).ok_or_else(|| format!("{value} is not a number of hours (0 to 65534), nor \"never\""))
    }
}

/// `"all"`, a category, or `"first-last"`.
#[derive(Deserialize)]
#[serde(try_from = "Value")]
struct Categories(u8, u8);

impl Default for Categories {
    fn default() -> Self {
        Self(0, u8::MAX)
    }
}

impl TryFrom<Value> for Categories {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let range = |text: &str| {
            let (first, last) = text.split_once('-')?;
            Some(Self(first.trim().parse().ok()?, last.trim().parse().ok()?))
        };
        let read = match &value {
            Value::Integer(one) => u8::try_from(*one).ok().map(|one| Self(one, one)),
            Value::String(all) if all == "all" => Some(Self::default()),
            Value::String(text) => range(text),
            _ => None,
        };
        read.filter(|c| c.0 <= c.1)
            .ok_or_else(|| format!("{value} is not \"all\", a category from 0 to 255, nor a range such as \"2-5\""))
    }
}

/// Days of the week by name.
#[derive(Deserialize)]
#[serde(try_from = "Vec<String>")]
struct Days(u8);

impl Default for Days {
    fn default() -> Self {
        Self(Rule::ALL_DAYS)
    }
}

impl TryFrom<Vec<String>> for Days {
    type Error = String;

    fn try_from(names: Vec<String>) -> Result<Self, String> {
        let mut mask = 0;
        for name in &names {
            let day = DAYS.iter().position(|day| day == name);
            mask |= 1 << day.ok_or_else(|| format!("{name:?} is not a day: write {}", DAYS.join(", ")))?;
        }
        if mask == 0 { Err("there is no day; leave days out for every day".to_owned()) } else { Ok(Self(mask)) }
    }
}

/// `"06:00-22:00"`, in minutes of the day.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct DayHours(u16, u16);

impl Default for DayHours {
    fn default() -> Self {
        Self(0, 1_440)
    }
}

impl TryFrom<String> for DayHours {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let read = || {
            let (from, until) = text.split_once('-')?;
            let (from, until) = (clock(from.trim())?, clock(until.trim())?);
            // Midnight as an end is the end of the day.
            let until = if until == 0 { 1_440 } else { until };
            (from < 1_440 && from != until).then_some(Self(from, until))
        };
        read()
            .ok_or_else(|| format!("{text:?} is not hours such as \"06:00-22:00\" or, over midnight, \"22:00-06:00\""))
    }
}

/// `HH:MM` up to `24:00`, in minutes.
fn clock(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |digits: &str| {
        let plain = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        if plain { digits.parse::<u16>().ok() } else { None }
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (minutes < 60 && hours * 60 + minutes <= 1_440).then_some(hours * 60 + minutes)
}

#[cfg(test)]
#[path = "policy_file_tests.rs"]
mod tests;
