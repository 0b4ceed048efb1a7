//! The policy as the observer reads it: moment by moment, anew from SYNC 12, where the gate reasons over an interval.

use tongguan_pass::Policy;
use tongguan_pass::policy::{Answer, Edition, ListLimits, Rule, Who};

const DAY: i64 = 86_400;

/// What was told to one gate.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The policy of its head.
    pub policy: Option<&'a Policy>,
    /// Where it stands.
    pub communities: &'a [u32],
    /// Its configuration, for as long as no policy is in force: hours.
    pub stale_after_h: u32,
}

impl Rules<'_> {
    /// What is done with a person at a moment.
    pub fn answer(&self, category: u8, community: u32, at: i64) -> Answer {
        let own = self.communities.is_empty() || self.communities.contains(&community);
        let of = |served: u32| match self.edition(served, at) {
            // Without a policy its own residents, and nobody else.
            None => {
                if own {
                    Answer::Pass
                } else {
                    Answer::Deny
                }
            }
            Some(edition) => {
                let (day, minute) = self.local(at);
                let applies = |rule: &&Rule| {
                    (rule.first..=rule.last).contains(&category)
                        && (rule.who == Who::Any || own)
                        && in_force(rule, day, minute)
                };
                edition.rules.iter().find(applies).map_or(Answer::Deny, |rule| rule.answer)
            }
        };
        self.served().map(of).max().unwrap_or(Answer::Deny)
    }

    /// Seconds after the lists' expiry from which the guard is asked, and from which what they could have revoked is refused.
    pub fn limits(&self, at: i64) -> (i64, i64) {
        let seconds = |hours: u16| if hours == ListLimits::NEVER { i64::MAX } else { 3600 * i64::from(hours) };
        let of = |served: u32| match self.edition(served, at) {
            None => (3600 * i64::from(self.stale_after_h), i64::MAX),
            Some(edition) => (seconds(edition.lists.confirm_after), seconds(edition.lists.deny_after)),
        };
        self.served().map(of).fold((0, 0), |most, one| (most.0.max(one.0), most.1.max(one.1)))
    }

    /// Each surge: its first and its last second, and for how many seconds live codes are good in it.
    pub fn surges(&self) -> impl Iterator<Item = (i64, i64, i64)> {
        let surges = self.policy.map_or(&[][..], Policy::surges);
        surges.iter().map(|s| (i64::from(s.from), i64::from(s.until), 60 * i64::from(s.minutes)))
    }

    /// Moments from `earliest` to `latest` between which nothing changes but for what comes again each week.
    pub fn moments(&self, earliest: i64, latest: i64) -> Vec<i64> {
        let editions = self.policy.map_or(&[][..], Policy::editions);
        let starts: Vec<i64> = editions.iter().map(|e| i64::from(e.effective_from)).collect();
        let mut all = vec![earliest, latest];
        for begin in starts.iter().copied().filter(|s| (earliest..=latest).contains(s)).chain([earliest]) {
            all.push(begin);
            for day in 0..9 {
                let (local, _) = self.local(begin.saturating_add(day * DAY));
                for minute in editions.iter().flat_map(|e| &e.rules).flat_map(|r| [r.from, r.until]) {
                    all.push((local * 1440 + i64::from(minute) - self.offset()) * 60);
                }
            }
        }
        all.retain(|at| (earliest..=latest).contains(at));
        all
    }

    fn served(&self) -> impl Iterator<Item = u32> {
        let general: &[u32] = if self.communities.is_empty() { &[0] } else { &[] };
        self.communities.iter().chain(general).copied()
    }

    /// SY 12.5.
    fn edition(&self, community: u32, at: i64) -> Option<&Edition> {
        let editions = self.policy.map_or(&[][..], Policy::editions);
        let last = |of: u32| {
            let begun = editions.iter().filter(|e| e.community == of && i64::from(e.effective_from) <= at);
            begun.max_by_key(|e| e.effective_from)
        };
        last(community).or_else(|| last(0))
    }

    /// The local day, counted from 1970, and the minute in it.
    fn local(&self, at: i64) -> (i64, u16) {
        let minute = at.div_euclid(60) + self.offset();
        (minute.div_euclid(1440), u16::try_from(minute.rem_euclid(1440)).unwrap_or(0))
    }

    fn offset(&self) -> i64 {
        self.policy.map_or(0, |p| i64::from(p.utc_offset()))
    }
}

/// SY 12.6: on the days on which its hours begin, and beyond midnight.
fn in_force(rule: &Rule, day: i64, minute: u16) -> bool {
    // 1970-01-01 was a Thursday.
    let begins = |day: i64| rule.days & (1 << (day + 3).rem_euclid(7)) != 0;
    if rule.from < rule.until {
        begins(day) && (rule.from..rule.until).contains(&minute)
    } else {
        (begins(day) && minute >= rule.from) || (begins(day - 1) && minute < rule.until)
    }
}
