//! The policy applied: who is let in at a time known as an interval, and when the next chance is (SY 12.7 to 12.10).
//!
//! What is asked may be bounded by nothing but a lower end of the time, so nothing here counts moments: an answer changes
//! only where an edition or a rule's hours begin or end, and a week of hours is every week.

use crate::policy::{Answer, DAY, Edition, ListLimits, Policy, Rule, Who};
use crate::time::Interval;

/// Minutes of a week.
const WEEK: i64 = 7 * DAY as i64;
/// 1970-01-01 was a Thursday; Monday is 0.
const FIRST_WEEKDAY: i64 = 3;

/// Where a gate stands, and what holds where the policy says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The communities that the gate serves. If it is told none, all of the registry's are its own.
    pub communities: alloc::vec::Vec<u32>,
    /// [`Edition::built_in`], or what the gate's own configuration says.
    pub otherwise: Edition,
}

/// What the policy says of somebody at a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Let in.
    Pass,
    /// Ask the guard.
    GuardCheck,
    /// The clock is not good enough to tell.
    Uncertain,
    /// Not at this time.
    OutsideHours {
        /// When they are next, Unix seconds.
        opens: i64,
    },
    /// A resident would be let in, and this is none.
    WrongPlace,
    /// Not here.
    NotAdmitted,
}

impl Admission {
    /// A stable name, as used in `vectors/`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::GuardCheck => "guard_check",
            Self::Uncertain => "clock_uncertain",
            Self::OutsideHours { .. } => "outside_hours",
            Self::WrongPlace => "wrong_place",
            Self::NotAdmitted => "not_admitted",
        }
    }
}

/// Somebody, as far as a rule asks.
#[derive(Clone, Copy)]
struct Person {
    category: u8,
    /// [`Who::Own`] if the gate serves their community.
    who: Who,
}

/// What may be answered at the moments of an interval, from the least to the most.
#[derive(Clone, Copy, PartialEq)]
struct Answers {
    least: Answer,
    most: Answer,
}

impl Policy {
    /// What a gate at `place` does with a person of this category and community.
    pub fn judge(&self, place: &Place, category: u8, community: u32, now: Interval) -> Admission {
        let own = place.communities.is_empty() || place.communities.contains(&community);
        let person = Person { category, who: if own { Who::Own } else { Who::Any } };
        let answers = self.answers(place, person, now);
        match (answers.least, answers.most) {
            (Answer::Pass, _) => Admission::Pass,
            (Answer::Confirm, Answer::Confirm) => Admission::GuardCheck,
            (_, Answer::Deny) => self.refusal(place, person, now),
            _ => Admission::Uncertain,
        }
    }

    /// SY 12.9: which of the refusals it is: the one that tells the person most.
    fn refusal(&self, place: &Place, person: Person, now: Interval) -> Admission {
        if let Some(opens) = self.opens(place, person, now.latest) {
            return Admission::OutsideHours { opens };
        }
        let resident = Person { who: Who::Own, ..person };
        let would_be = person.who != Who::Own
            && (self.answers(place, resident, now).most > Answer::Deny
                || self.opens(place, resident, now.latest).is_some());
        if would_be { Admission::WrongPlace } else { Admission::NotAdmitted }
    }

    /// SY 12.10: "of several communities the latest hour counts, over an interval the earliest for asking the guard and the
    /// latest for refusing".
    pub fn list_limits(&self, place: &Place, now: Interval) -> ListLimits {
        let mut limits = ListLimits { confirm_after: 0, deny_after: 0 };
        for community in served(place) {
            let (mut confirm_after, mut deny_after) = (ListLimits::NEVER, 0);
            for piece in self.pieces(place, community, now) {
                confirm_after = confirm_after.min(piece.edition.lists.confirm_after);
                deny_after = deny_after.max(piece.edition.lists.deny_after);
            }
            limits.confirm_after = limits.confirm_after.max(confirm_after);
            limits.deny_after = limits.deny_after.max(deny_after);
        }
        limits
    }

    /// SY 12.5: "At a time a community has its last edition whose effective_from is not after that time."
    pub fn edition<'a>(&'a self, place: &'a Place, community: u32, at: i64) -> &'a Edition {
        self.pieces(place, community, Interval::exactly(at)).last().map_or(&place.otherwise, |piece| piece.edition)
    }

    /// SY 12.8: each community for itself, and of their answers the most: whom one of them lets in is let in.
    fn answers(&self, place: &Place, person: Person, now: Interval) -> Answers {
        let mut all = Answers { least: Answer::Deny, most: Answer::Deny };
        for community in served(place) {
            let mut of_one: Option<Answers> = None;
            for piece in self.pieces(place, community, now) {
                for at in piece.moments(person, self.utc_offset()) {
                    let answer = piece.edition.answer(person, minute(at, self.utc_offset()));
                    let known = of_one.get_or_insert(Answers { least: answer, most: answer });
                    *known = Answers { least: known.least.min(answer), most: known.most.max(answer) };
                }
            }
            if let Some(one) = of_one {
                all = Answers { least: all.least.max(one.least), most: all.most.max(one.most) };
            }
        }
        all
    }

    /// The first moment of the week after `after` at which somebody is let in or the guard is asked.
    fn opens(&self, place: &Place, person: Person, after: i64) -> Option<i64> {
        let start = after.checked_add(1)?;
        let week = Interval { earliest: start, latest: start.saturating_add(WEEK * 60 - 1) };
        let pieces = served(place).flat_map(|community| self.pieces(place, community, week));
        let opening = pieces.filter_map(|piece| {
            let admits = |at: &i64| piece.edition.answer(person, minute(*at, self.utc_offset())) > Answer::Deny;
            piece.moments(person, self.utc_offset()).filter(admits).min()
        });
        opening.min()
    }

    /// The editions of a community over an interval, each with the part of it in which it holds.
    fn pieces<'a>(
        &'a self,
        place: &'a Place,
        community: u32,
        now: Interval,
    ) -> impl Iterator<Item = Piece<'a>> + use<'a> {
        let own = self.editions_of(community);
        let own_from = own.first().map_or(i64::MAX, |first| i64::from(first.effective_from));
        let general = if community == 0 { &[] } else { self.editions_of(0) };
        let general = general.iter().filter(move |e| i64::from(e.effective_from) < own_from);
        let dated = general.chain(own).map(|e| (i64::from(e.effective_from), e));
        let mut all = core::iter::once((i64::MIN, &place.otherwise)).chain(dated).peekable();
        let pieces = core::iter::from_fn(move || {
            let (from, edition) = all.next()?;
            let until = all.peek().map_or(i64::MAX, |(next, _)| next.saturating_sub(1));
            Some(Piece { edition, from: from.max(now.earliest), until: until.min(now.latest) })
        });
        pieces.filter(|piece| piece.from <= piece.until)
    }

    fn editions_of(&self, community: u32) -> &[Edition] {
        let start = self.editions().partition_point(|e| e.community < community);
        let end = self.editions().partition_point(|e| e.community <= community);
        self.editions().get(start..end).unwrap_or(&[])
    }
}

/// SY 12.7: "a gate that is told no community has the policy of community 0".
fn served(place: &Place) -> impl Iterator<Item = u32> + use<'_> {
    let none = place.communities.is_empty().then_some(0);
    place.communities.iter().copied().chain(none)
}

/// An edition, and a part of the interval in which it holds; both ends included.
struct Piece<'a> {
    edition: &'a Edition,
    from: i64,
    until: i64,
}

impl<'a> Piece<'a> {
    /// The moments at which the answer may change: the first one, and where a rule's hours begin or end; of the latter a
    /// week at the most, for after that they repeat.
    fn moments(&self, person: Person, utc_offset: i16) -> impl Iterator<Item = i64> + use<'a> {
        let from = self.from;
        let first = minute(from, utc_offset);
        let last = minute(self.until.min(from.saturating_add(WEEK * 60)), utc_offset).min(first.saturating_add(WEEK));
        let days = first.div_euclid(DAY.into())..=last.div_euclid(DAY.into());
        let rules = self.edition.rules.iter().filter(move |rule| rule.is_about(person));
        let minutes = rules.flat_map(move |rule| {
            let ends = [rule.from % DAY, rule.until % DAY].map(i64::from);
            days.clone().flat_map(move |day| ends.map(|end| day * i64::from(DAY) + end))
        });
        let within = minutes.filter(move |at| first < *at && *at <= last);
        let until = self.until;
        let seconds = within.map(move |at| (at - i64::from(utc_offset)) * 60).filter(move |at| *at <= until);
        core::iter::once(from).chain(seconds)
    }
}

impl Edition {
    /// SY 12.6: "The first rule that applies gives the answer; if none does, it is deny."
    fn answer(&self, person: Person, minute: i64) -> Answer {
        let applies = |rule: &&Rule| rule.is_about(person) && rule.is_in_force(minute);
        self.rules.iter().find(applies).map_or(Answer::Deny, |rule| rule.answer)
    }
}

impl Rule {
    fn is_about(&self, person: Person) -> bool {
        (self.first..=self.last).contains(&person.category) && (self.who == Who::Any || person.who == Who::Own)
    }

    /// SY 12.6: "Hours with until before from end on the day after"; the day is the one on which they begin.
    fn is_in_force(&self, minute: i64) -> bool {
        let (day, of_day) = (minute.div_euclid(DAY.into()), minute.rem_euclid(DAY.into()));
        let on = |day: i64| self.days >> (day + FIRST_WEEKDAY).rem_euclid(7) & 1 == 1;
        let (from, until) = (i64::from(self.from), i64::from(self.until));
        if from < until {
            on(day) && from <= of_day && of_day < until
        } else {
            (on(day) && from <= of_day) || (on(day - 1) && of_day < until)
        }
    }
}

/// SY 12.2: "Local time is UTC and utc_offset", in whole minutes since 1970.
fn minute(at: i64, utc_offset: i16) -> i64 {
    at.div_euclid(60) + i64::from(utc_offset)
}
