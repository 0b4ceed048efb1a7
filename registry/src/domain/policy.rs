//! Changing the policy: new rules, a surge that begins or ends; and what a change means, in words.

use tongguan_pass::policy::{Edition, Rule, Surge, Who};
use tongguan_pass::{ListError, Policy};

use crate::domain::time::{DAY, parse_rfc3339, rfc3339_local};

/// UTC+8, which holds in all of China; a policy with no rules yet has it.
pub const UTC_OFFSET: i16 = 480;

/// Why the policy was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// What was asked for makes no sense.
    #[error("{0}; nothing was changed")]
    Invalid(&'static str),
    /// A surge would cut another one.
    #[error(
        "a surge is declared already, with live codes good for {} minutes from {} until {}: let it run, or end it first with \
         `tongguan-registry policy surge --end`; nothing was changed", .0.minutes, rfc3339_local(.0.from, *.1), rfc3339_local(.0.until, *.1)
    )]
    Overlaps(Surge, i16),
    /// What was made is not what a gate would accept.
    #[error("a gate would not accept this policy: it {0}; nothing was changed")]
    Refused(#[from] ListError),
}

/// How an edition differs from what was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// It is new.
    New,
    /// Its rules or limits are others.
    Changed,
    /// It is gone.
    Removed,
}

impl Difference {
    /// A stable word for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// The policy before there is any.
pub fn empty() -> Policy {
    Policy::new(UTC_OFFSET, Vec::new(), Vec::new()).unwrap_or_default()
}

/// The same surges with the rules of `rules`.
///
/// # Errors
/// [`PolicyError`].
pub fn with_rules(before: &Policy, rules: &Policy) -> Result<Policy, PolicyError> {
    Ok(Policy::new(rules.utc_offset(), before.surges().to_vec(), rules.editions().to_vec())?)
}

/// The same rules with one more surge. One that others count on is not cut by it: ending is another command.
///
/// # Errors
/// [`PolicyError`].
pub fn with_surge(before: &Policy, surge: Surge, now: u32) -> Result<Policy, PolicyError> {
    if !(11..=60).contains(&surge.minutes) {
        return Err(PolicyError::Invalid("a surge makes live codes good for 11 to 60 minutes: --minutes 60"));
    }
    if surge.until <= surge.from {
        return Err(PolicyError::Invalid("the surge would end before it begins: give a later --until"));
    }
    if surge.until <= now {
        return Err(PolicyError::Invalid("the surge would be over already: give an --until that is to come"));
    }
    if surge.until - surge.from > 7 * DAY {
        return Err(PolicyError::Invalid(
            "a surge lasts at most 7 days: give an earlier --until, and declare it anew then",
        ));
    }
    let declared = |s: &&Surge| s.until >= now && s.from <= surge.until && surge.from <= s.until;
    match before.surges().iter().find(declared) {
        Some(same) if *same == surge => return Ok(before.clone()),
        Some(other) => return Err(PolicyError::Overlaps(*other, before.utc_offset())),
        None => {}
    }
    // Only one that is over is shortened.
    let earlier = kept(before, now).filter(|s| s.from < surge.from);
    let earlier = earlier.map(|s| Surge { until: s.until.min(surge.from - 1), ..s });
    let later = kept(before, now).filter(|s| s.from > surge.until);
    let surges = earlier.chain([surge]).chain(later).collect();
    Ok(Policy::new(before.utc_offset(), surges, before.editions().to_vec())?)
}

/// The same rules with no surge from now on.
///
/// # Errors
/// [`PolicyError`], also if there is none to end.
pub fn without_surge(before: &Policy, now: u32) -> Result<Policy, PolicyError> {
    if before.surges().iter().all(|s| s.until < now) {
        return Err(PolicyError::Invalid("there is no surge to end"));
    }
    // Before now: the head that says so is then proof of its being over, also at a gate whose clock is poor.
    let over = now.saturating_sub(1);
    let ended = kept(before, now).filter(|s| s.from < now).map(|s| Surge { until: s.until.min(over), ..s });
    Ok(Policy::new(before.utc_offset(), ended.collect(), before.editions().to_vec())?)
}

/// The surges that a gate with a slow clock may still have to know.
fn kept(policy: &Policy, now: u32) -> impl Iterator<Item = Surge> + '_ {
    policy.surges().iter().copied().filter(move |s| s.until.saturating_add(DAY) >= now)
}

/// Every edition in which two policies differ, in order.
pub fn differences<'a>(before: &'a Policy, after: &'a Policy) -> Vec<(Difference, &'a Edition)> {
    let key = |e: &Edition| (e.community, e.effective_from);
    let find = |policy: &'a Policy, e: &Edition| policy.editions().iter().find(|other| key(other) == key(e));
    let added = after.editions().iter().filter_map(|e| match find(before, e) {
        None => Some((Difference::New, e)),
        Some(old) if old != e => Some((Difference::Changed, e)),
        Some(_) => None,
    });
    let gone = before.editions().iter().filter(|e| find(after, e).is_none()).map(|e| (Difference::Removed, e));
    let mut all: Vec<_> = added.chain(gone).collect();
    all.sort_by_key(|(_, e)| key(e));
    all
}

/// What people may not have meant.
pub fn doubts(policy: &Policy) -> Vec<String> {
    let mut all = Vec::new();
    for edition in policy.editions() {
        let which = format!(
            "{} from {}",
            community_words(edition.community),
            from_words(edition.effective_from, policy.utc_offset())
        );
        if edition.rules.is_empty() {
            all.push(format!("{which} has no rule: nobody is let in"));
        }
        for (i, rule) in edition.rules.iter().enumerate() {
            if let Some(earlier) = edition.rules.iter().take(i).position(|earlier| covers(earlier, rule)) {
                all.push(format!("{which}: rule {} never applies, because rule {} comes first", i + 1, earlier + 1));
            }
        }
    }
    all
}

fn covers(wide: &Rule, narrow: &Rule) -> bool {
    let hours = (wide.from, wide.until) == (0, 1_440) || (wide.from, wide.until) == (narrow.from, narrow.until);
    // All day of every day has the small hours of a night too.
    let days = wide.days & narrow.days == narrow.days && (narrow.from < narrow.until || wide.days == Rule::ALL_DAYS);
    let who = wide.who == Who::Any || narrow.who == Who::Own;
    wide.first <= narrow.first && narrow.last <= wide.last && who && days && hours
}

/// A community as people are told of it.
pub fn community_words(community: u32) -> String {
    if community == 0 { "every other community".to_owned() } else { format!("community {community}") }
}

/// The time from which an edition holds.
pub fn from_words(effective_from: u32, utc_offset: i16) -> String {
    if effective_from == 0 { "the beginning".to_owned() } else { rfc3339_local(effective_from, utc_offset) }
}

/// Reads a time of a policy file; see [`parse_rfc3339`].
///
/// # Errors
/// A sentence saying what is wrong with it.
pub fn parse_time(text: &str) -> Result<u32, String> {
    parse_rfc3339(text).map_err(|wrong| format!("{text:?} is {wrong}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongguan_pass::policy::Answer;

    const NOW: u32 = 1_790_000_000;

    fn surge(from: u32, until: u32) -> Surge {
        Surge { from: NOW + from, until: NOW + until, minutes: 60 }
    }

    #[test]
    fn a_surge_that_others_count_on_is_not_cut_by_another_one() {
        let first = with_surge(&empty(), surge(0, 7_200), NOW).expect("declared");
        for other in [
            surge(3_600, 10_000),
            surge(0, 60),
            surge(60, 120),
            surge(7_200, 9_000),
            Surge { minutes: 30, ..surge(0, 7_200) },
        ] {
            let refused = with_surge(&first, other, NOW + 30).expect_err("overlaps").to_string();
            let end = rfc3339_local(NOW + 7_200, UTC_OFFSET);
            assert!(refused.contains("60 minutes") && refused.contains(&end) && refused.contains("--end"), "{refused}");
        }
        assert_eq!(with_surge(&first, surge(0, 7_200), NOW + 30), Ok(first.clone()), "said twice");
        let both = with_surge(&first, surge(7_201, 9_000), NOW + 30).expect("after it");
        assert_eq!(both.surges(), [surge(0, 7_200), surge(7_201, 9_000)]);
        // One to come is counted on too.
        assert!(with_surge(&both, surge(8_000, 8_060), NOW + 30).is_err());
    }

    #[test]
    fn a_surge_that_is_over_is_in_nobodys_way_and_forgotten_after_a_day() {
        let first = with_surge(&empty(), surge(0, 7_200), NOW).expect("declared");
        let second = with_surge(&first, surge(3_600, 10_000), NOW + 7_201).expect("declared");
        assert_eq!(second.surges(), [surge(0, 3_599), surge(3_600, 10_000)]);
        let ended = without_surge(&first, NOW + 60).expect("ended");
        let anew = with_surge(&ended, surge(60, 120), NOW + 60).expect("ended, so it is in nobody's way");
        assert_eq!(anew.surges(), [surge(0, 59), surge(60, 120)]);
        let days_later = with_surge(&second, surge(3 * DAY, 3 * DAY + 60), NOW + 3 * DAY).expect("declared");
        assert_eq!(days_later.surges(), [surge(3 * DAY, 3 * DAY + 60)]);
    }

    #[test]
    fn ending_a_surge_ends_it_now_and_takes_away_those_to_come() {
        let both = with_surge(&empty(), surge(0, 7_200), NOW).expect("declared");
        let both = with_surge(&both, surge(9_000, 9_900), NOW).expect("declared");
        assert_eq!(without_surge(&both, NOW + 600).expect("ended").surges(), [surge(0, 599)]);
        assert!(without_surge(&both, NOW + 10_000).is_err());
        assert!(without_surge(&empty(), NOW).is_err());
    }

    #[test]
    fn a_surge_that_makes_no_sense_is_refused() {
        for wrong in [
            surge(60, 60),
            surge(0, 7 * DAY + 1),
            Surge { minutes: 10, ..surge(0, 60) },
            Surge { minutes: 61, ..surge(0, 60) },
        ] {
            assert!(with_surge(&empty(), wrong, NOW).is_err(), "{wrong:?}");
        }
        assert!(with_surge(&empty(), surge(0, 60), NOW + 60).is_err(), "over");
    }

    #[test]
    fn rules_that_cannot_apply_are_pointed_out() {
        let deny = Rule { answer: Answer::Deny, first: 3, last: 3, ..Rule::OWN };
        let edition = |rules: &[Rule]| Edition { community: 1, rules: rules.to_vec(), ..Edition::built_in() };
        let doubts = |rules: &[Rule]| doubts(&Policy::new(480, vec![], vec![edition(rules)]).expect("good"));
        assert_eq!(
            doubts(&[Rule::OWN, deny]),
            ["community 1 from the beginning: rule 2 never applies, because rule 1 comes first"]
        );
        assert!(doubts(&[deny, Rule::OWN]).is_empty());
        assert!(doubts(&[Rule { days: 1, ..Rule::OWN }, Rule { days: 1, from: 1_300, until: 60, ..deny }]).is_empty());
        assert_eq!(doubts(&[]), ["community 1 from the beginning has no rule: nobody is let in"]);
    }
}
