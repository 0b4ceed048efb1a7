//! The perfect observer: it knows the true time, where each text comes from and what each gate was told, and judges the gate's
//! answer. It reads PASS-FORMAT anew rather than asking `tongguan-pass`: two who ask the same function agree about its faults.

use tongguan::clock::Reading;
use tongguan::decide::{Decision, Detail, Reason, Verdict};
use tongguan_pass::policy::Answer;
use tongguan_pass::{Body, KeyId, Purpose};

use crate::city::Known;
use crate::rules::Rules;
use crate::shown::{Origin, Shown};

/// Whether a code was let in at this gate before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Used {
    /// No.
    No,
    /// The power went before the journal said that it has it.
    Perhaps,
    /// Yes.
    Yes,
}

/// What the observer knows beside the text.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The true time before and after, whole seconds: two of them while a leap second lasts.
    pub truth: [i64; 2],
    /// What this gate was told.
    pub known: Option<&'a Known>,
    /// What it lets in.
    pub rules: Rules<'a>,
    /// Whether the code was let in here.
    pub used: Used,
    /// The time as the gate knew it.
    pub reading: Reading,
}

/// What a code is at one moment (PF 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Now {
    Good,
    /// For so many seconds.
    Expired(i64),
    /// For so many seconds.
    NotYet(i64),
    /// Made by a phone whose clock was wrong.
    PhoneWrong,
}

/// PF 7.3.
const PHONE: i64 = 600;

/// A code's window (PF 7.1) and, of a carried one, when its phone says it made it.
#[derive(Debug, Clone, Copy)]
struct Window {
    from: i64,
    until: i64,
    made_at: Option<i64>,
    is_live: bool,
    /// When the registry signed it, and the end of its key.
    issued_at: i64,
    key_until: i64,
}

impl Window {
    fn of(body: &Body, known: &Known) -> Option<Self> {
        let (key, purpose) = key_of(body);
        let key = known.key(key).filter(|k| k.purpose == purpose)?;
        let (from, until, made_at) = match body {
            Body::Live(c) => (i64::from(c.issued_at), i64::from(c.issued_at) + 60 * i64::from(c.ttl_minutes), None),
            Body::Printed(c) => (i64::from(c.valid_from), i64::from(c.valid_to), None),
            Body::Carried(c) => {
                let from = i64::from(c.certificate.valid_from);
                (from, from + 3600 * i64::from(c.certificate.hours), Some(i64::from(c.made_at)))
            }
        };
        Some(Self {
            from: from.max(i64::from(key.not_before)),
            until: until.min(i64::from(key.not_after)),
            made_at,
            is_live: matches!(body, Body::Live(_)),
            issued_at: from,
            key_until: i64::from(key.not_after),
        })
    }

    /// PF 7.7: with the last moment before `now` at which a live code was good in a surge.
    fn in_surge(&self, rules: &Rules<'_>, now: i64) -> Self {
        let mut until = self.until;
        for (begins, ends, seconds) in rules.surges().filter(|(begins, ..)| self.is_live && *begins <= now) {
            let ends = ends.min(self.issued_at + seconds).min(self.key_until);
            if ends >= begins {
                until = until.max(ends);
            }
        }
        Self { until, ..*self }
    }

    fn at(&self, now: i64) -> Now {
        let since_made = self.made_at.map_or(i64::MIN, |made_at| now - made_at - PHONE);
        match self.made_at {
            _ if now > self.until => Now::Expired(since_made.max(now - self.until)),
            _ if now < self.from => Now::NotYet(self.from - now),
            Some(made_at) if made_at < self.from || made_at > self.until || made_at - now > PHONE => Now::PhoneWrong,
            Some(_) if since_made > 0 => Now::Expired(since_made),
            _ => Now::Good,
        }
    }

    /// From when to when it is good at all.
    fn good(&self) -> Option<(i64, i64)> {
        let (mut from, mut until) = (self.from, self.until);
        if let Some(made_at) = self.made_at {
            if made_at < from || made_at > until {
                return None;
            }
            (from, until) = (from.max(made_at - PHONE), until.min(made_at + PHONE));
        }
        Some((from, until))
    }

    /// Whether somebody who knows only that it is from `earliest` to `latest` can tell whether it is good (PF 7.6): nowhere in
    /// between does that change.
    fn is_certain(&self, rules: &Rules<'_>, earliest: i64, latest: i64) -> bool {
        let edges: Vec<i64> = rules.surges().flat_map(|(begins, ends, _)| [begins, ends + 1]).collect();
        let good = |now: i64| {
            let here = self.in_surge(rules, now);
            // PF 7.4: a live code that exists has begun.
            let begun = self.is_live && latest >= here.from;
            here.good().is_some_and(|(from, until)| now <= until && (now >= from || begun))
        };
        let ends = [earliest, latest].into_iter().chain(edges.iter().copied());
        let own = ends.flat_map(|at| {
            let here = self.in_surge(rules, at);
            let (from, until) = here.good().unwrap_or((here.from, here.until));
            [at, at - 1, from, from - 1, until, until + 1]
        });
        let mut answers = own.filter(|at| (earliest..=latest).contains(at)).map(good);
        let first = answers.next();
        answers.all(|answer| Some(answer) == first)
    }
}

impl Scene<'_> {
    /// Whether nothing but a surge makes it good.
    pub fn is_good_by_a_surge(&self, shown: &Shown) -> bool {
        let body = shown.body();
        let window = body.as_ref().zip(self.known).and_then(|(b, k)| Window::of(b, k));
        window.is_some_and(|w| {
            self.truth.iter().all(|t| w.at(*t) != Now::Good && w.in_surge(&self.rules, *t).at(*t) == Now::Good)
        })
    }
}

fn key_of(body: &Body) -> (KeyId, Purpose) {
    match body {
        Body::Live(c) => (c.key, Purpose::Live),
        Body::Carried(c) => (c.certificate.key, Purpose::Certificate),
        Body::Printed(c) => (c.key, Purpose::Printed),
    }
}

/// Whether the answer is right.
///
/// # Errors
/// What is wrong with it, in words.
pub fn judge(shown: &Shown, scene: &Scene<'_>, decision: &Decision) -> Result<(), String> {
    let (earliest, latest) = (scene.reading.interval().earliest, scene.reading.interval().latest);
    let body = shown.body();
    let expires_at = scene.known.map(|k| i64::from(k.head.expires_at));
    let key_is_known = body.as_ref().is_some_and(|b| scene.known.is_some_and(|k| k.key(key_of(b).0).is_some()));
    let window = body.as_ref().zip(scene.known).and_then(|(b, k)| Window::of(b, k));
    let ours = body.as_ref().filter(|_| shown.origin == Origin::Ours && key_is_known);
    let revoked = ours.is_some_and(|b| scene.known.is_some_and(|k| k.revoked.contains(&b.handle())));
    let rules = &scene.rules;
    let own = ours.is_some_and(|b| rules.communities.is_empty() || rules.communities.contains(&b.community()));
    let answer = |at: i64| ours.map_or(Answer::Deny, |b| rules.answer(b.category(), b.community(), at));
    let truly = |wanted: Answer| scene.truth.iter().any(|t| answer(*t) == wanted);
    // Beyond a few weeks nothing new comes.
    let reach = latest.min(earliest.saturating_add(40 * 86_400));
    let moments = rules.moments(earliest, reach);
    let admitted = moments.iter().any(|at| answer(*at) > Answer::Deny);
    let same = moments.iter().all(|at| answer(*at) == answer(earliest));
    let is_live = matches!(body, Some(Body::Live(_)));
    let is_printed = matches!(body, Some(Body::Printed(_)));
    let at = |w: Window, t: i64| w.in_surge(rules, t).at(t);
    let is_good = || window.is_some_and(|w| scene.truth.iter().any(|t| at(w, *t) == Now::Good));
    // "So long ago that what a list could have revoked needs the guard", or is refused, as far as this gate can know.
    let ago = expires_at.map_or(i64::MIN, |e| earliest - e);
    let stale = moments.iter().any(|at| ago > rules.limits(*at).0);
    let void = moments.iter().all(|at| ago > rules.limits(*at).1);
    let true_of = |right: bool, why: &str| if right { Ok(()) } else { Err(why.to_owned()) };

    match (decision.verdict, decision.reason) {
        (Verdict::Pass, Reason::Fresh) => {
            true_of(shown.origin == Origin::Ours, "let in: it is not one of ours")?;
            let body = ours.ok_or("let in: its key is not in this gate's keyset")?;
            true_of(!body.flags().specimen, "let in: a specimen")?;
            true_of(!revoked, "let in: revoked in the lists this gate has")?;
            true_of(truly(Answer::Pass), "let in: the policy does not let this person in now")?;
            let window = window.ok_or("let in: its key is for something else")?;
            true_of(is_good(), &format!("let in: {:?}", at(window, scene.truth[0])))?;
            let again = is_printed || scene.is_good_by_a_surge(shown);
            true_of(again || scene.used != Used::Yes, "let in: it was let in here before")?;
            true_of(is_live || !stale, "let in: the lists are too old")
        }
        (Verdict::Deny, Reason::Specimen) => true_of(ours.is_some_and(|b| b.flags().specimen), "it is no specimen"),
        (Verdict::Deny, Reason::Revoked) => true_of(revoked, "no list this gate has revokes it"),
        (Verdict::Deny, Reason::WrongPlace) => true_of(truly(Answer::Deny) && !own, "this person is let in here"),
        (Verdict::Deny, Reason::NotAdmitted) => true_of(truly(Answer::Deny), "this person is let in here"),
        (Verdict::Deny, Reason::OutsideHours) => {
            let Detail::Opens { at: opens, .. } = decision.detail else { return Err("nobody hears when".into()) };
            true_of(truly(Answer::Deny), "this person is let in now")?;
            true_of(opens > earliest && answer(opens) > Answer::Deny, "at the time that is told nobody is let in")
        }
        (Verdict::Deny, Reason::ListStale) => {
            true_of(void && !is_live, "refused, although the lists are not that old")?;
            true_of(ours.is_some() && !revoked, "the lists are blamed for a bad code")
        }
        (Verdict::Confirm, Reason::GuardCheck) => {
            true_of(truly(Answer::Confirm), "the guard is asked, although the policy does not want it")?;
            true_of(ours.is_some() && !revoked && is_good(), "the guard is asked about a bad code")?;
            let again = is_printed || scene.is_good_by_a_surge(shown);
            true_of(again || scene.used != Used::Yes, "the guard is asked about a used code")
        }
        (Verdict::Deny, Reason::Expired) => {
            let window = window.ok_or("expired, although it cannot be judged")?;
            // The figure is a lower bound of the truth.
            scene.truth.iter().try_for_each(|t| match (at(window, *t), &decision.detail) {
                (Now::Expired(ago), Detail::Seconds(said)) if *said > 0 && *said <= ago + leap(scene) => Ok(()),
                (now, said) => Err(format!("said to have expired ({said:?}), and it is {now:?}")),
            })
        }
        (Verdict::Deny, Reason::NotYetValid) => {
            let window = window.ok_or("not yet valid, although it cannot be judged")?;
            scene.truth.iter().try_for_each(|t| match (at(window, *t), &decision.detail) {
                (Now::NotYet(ahead), Detail::Seconds(said)) if *said > 0 && *said <= ahead + leap(scene) => Ok(()),
                (now, said) => Err(format!("said to begin later ({said:?}), and it is {now:?}")),
            })
        }
        (Verdict::Deny, Reason::PhoneClockWrong) => {
            let window = window.ok_or("a phone's clock is blamed, although the code cannot be judged")?;
            let made_at = window.made_at.ok_or("a phone's clock is blamed, and no phone made the code")?;
            let Detail::Seconds(said) = decision.detail else { return Err("the phone is not told by how much".into()) };
            // The figure is the least that the phone can be ahead, or that a code made outside its window shows.
            let least = |t: &i64| said <= made_at - t + leap(scene);
            match () {
                () if made_at < window.from => true_of(said < 0, "a slow phone is told that it is fast"),
                () if made_at > window.until => {
                    let right = said == made_at - window.until || scene.truth.iter().all(least);
                    true_of(said > 0 && right, &format!("the phone is told {said} s"))
                }
                () => {
                    let right = said > PHONE && scene.truth.iter().all(least);
                    let ahead = made_at - scene.truth[0];
                    true_of(right, &format!("the phone is {ahead} s ahead, and is told {said} s"))
                }
            }
        }
        (Verdict::Deny, Reason::AlreadyUsed) => {
            true_of(scene.used != Used::No && !is_printed, "it was never let in here")
        }
        (Verdict::Deny, Reason::Forged) => true_of(shown.origin == Origin::Forged, "it is genuine"),
        // A key that this gate was not told of. A genuine code is refused so if its key is younger than the gate's lists: the
        // keys of one that was revoked are replaced at once. That is the named policy while the lists are current.
        (Verdict::Deny, Reason::UnknownKey) => {
            true_of(body.is_some() && !key_is_known, "its key is in this gate's keyset")?;
            true_of(expires_at.is_some_and(|e| latest <= e), "refused, although the lists here may be old")
        }
        // Confirm is for what is our lack: here, lists that may be too old to have the key.
        (Verdict::Confirm, Reason::UnknownKey) => {
            true_of(body.is_some() && !key_is_known, "its key is in this gate's keyset")?;
            true_of(expires_at.is_none_or(|e| latest > e), "the guard is asked, although the lists are current")
        }
        // Here, lists that expired long ago.
        (Verdict::Confirm, Reason::ListStale) => {
            true_of(stale && !is_live, "the guard is asked, although the lists are fresh enough")?;
            true_of(ours.is_some() && !revoked && admitted && is_good(), "the guard is asked about a bad code")?;
            true_of(is_printed || scene.used != Used::Yes, "the guard is asked about a used code")
        }
        // Here, a clock by which the code may be good or not.
        (Verdict::Confirm, Reason::ClockUncertain) => {
            let window = window.ok_or("the guard is asked about a code that cannot be judged")?;
            true_of(ours.is_some() && !revoked && admitted, "the guard is asked about a bad code")?;
            let tells = same && window.is_certain(rules, earliest, latest);
            true_of(!tells, "the guard is asked, although the clock can tell")
        }
        (Verdict::Deny, Reason::NotOurCode) => true_of(shown.origin == Origin::Foreign, "it is one of ours"),
        (Verdict::Deny, Reason::Damaged | Reason::UnknownKind) => {
            true_of(shown.origin == Origin::Spoiled, "it can be read")
        }
        (verdict, reason) => Err(format!("no gate says {} {}", verdict.name(), reason.code())),
    }
}

/// What a leap second may add to a figure.
fn leap(scene: &Scene<'_>) -> i64 {
    scene.truth[1] - scene.truth[0]
}

/// A time that the observer knows to be wrong.
///
/// # Errors
/// In words.
pub fn judge_clock(now: i128, highest: i128, reading: &Reading, floor: jiff::Timestamp) -> Result<(), String> {
    let off = |ns: i128| format!("{:.3} s", ns as f64 / 1e9);
    let earliest = reading.earliest.as_nanosecond();
    if earliest > highest {
        return Err(format!("the clock says that {} more has passed than has", off(earliest - highest)));
    }
    if let Some(latest) = reading.latest.map(jiff::Timestamp::as_nanosecond)
        && latest < now
    {
        return Err(format!("the clock's latest is {} behind the truth", off(now - latest)));
    }
    let floor = floor.as_nanosecond();
    if floor > highest { Err(format!("the floor is {} above the truth", off(floor - highest))) } else { Ok(()) }
}
