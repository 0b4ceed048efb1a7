//! The perfect observer: it knows the true time, where each text comes from and what each gate was told, and judges the gate's
//! answer. It reads PASS-FORMAT anew rather than asking `tongguan-pass`: two who ask the same function agree about its faults.

use tongguan::clock::Reading;
use tongguan::config::PolicyConfig;
use tongguan::decide::{Decision, Detail, Reason, Verdict};
use tongguan_pass::{Body, KeyId, Purpose};

use crate::city::Known;
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
    pub policy: &'a PolicyConfig,
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
        })
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

    /// Whether somebody who knows only that it is from `earliest` to `latest` can tell whether it is good (PF 7.6).
    fn is_certain(&self, earliest: i64, latest: i64) -> bool {
        let Some((from, until)) = self.good() else { return true };
        // PF 7.4: a live code that exists has begun.
        let covers = latest <= until && (self.is_live && latest >= from || earliest >= from);
        let apart = latest < from || earliest > until;
        covers || apart
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
    let communities = &scene.policy.communities;
    let away = ours.is_some_and(|b| !communities.is_empty() && !communities.contains(&b.community()));
    let is_live = matches!(body, Some(Body::Live(_)));
    let is_printed = matches!(body, Some(Body::Printed(_)));
    let is_good = || window.is_some_and(|w| scene.truth.iter().any(|t| w.at(*t) == Now::Good));
    // "So long ago that what a list could have revoked needs the guard", as far as this gate can know.
    let stale = expires_at.is_some_and(|e| earliest - e > 3600 * i64::from(scene.policy.stale_lists_confirm_after_h));
    let true_of = |right: bool, why: &str| if right { Ok(()) } else { Err(why.to_owned()) };

    match (decision.verdict, decision.reason) {
        (Verdict::Pass, Reason::Fresh) => {
            true_of(shown.origin == Origin::Ours, "let in: it is not one of ours")?;
            let body = ours.ok_or("let in: its key is not in this gate's keyset")?;
            true_of(!body.flags().specimen, "let in: a specimen")?;
            true_of(!revoked, "let in: revoked in the lists this gate has")?;
            true_of(!away, "let in: of a community this gate does not serve")?;
            let window = window.ok_or("let in: its key is for something else")?;
            true_of(is_good(), &format!("let in: {:?}", window.at(scene.truth[0])))?;
            true_of(is_printed || scene.used != Used::Yes, "let in: it was let in here before")?;
            true_of(is_live || !stale, "let in: the lists are too old")
        }
        (Verdict::Deny, Reason::Specimen) => true_of(ours.is_some_and(|b| b.flags().specimen), "it is no specimen"),
        (Verdict::Deny, Reason::Revoked) => true_of(revoked, "no list this gate has revokes it"),
        (Verdict::Deny, Reason::WrongPlace) => true_of(away, "this gate serves its community"),
        (Verdict::Deny, Reason::Expired) => {
            let window = window.ok_or("expired, although it cannot be judged")?;
            // The figure is a lower bound of the truth.
            scene.truth.iter().try_for_each(|t| match (window.at(*t), &decision.detail) {
                (Now::Expired(ago), Detail::Seconds(said)) if *said > 0 && *said <= ago + leap(scene) => Ok(()),
                (now, said) => Err(format!("said to have expired ({said:?}), and it is {now:?}")),
            })
        }
        (Verdict::Deny, Reason::NotYetValid) => {
            let window = window.ok_or("not yet valid, although it cannot be judged")?;
            scene.truth.iter().try_for_each(|t| match (window.at(*t), &decision.detail) {
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
            true_of(ours.is_some() && !revoked && !away && is_good(), "the guard is asked about a bad code")?;
            true_of(is_printed || scene.used != Used::Yes, "the guard is asked about a used code")
        }
        // Here, a clock by which the code may be good or not.
        (Verdict::Confirm, Reason::ClockUncertain) => {
            let window = window.ok_or("the guard is asked about a code that cannot be judged")?;
            true_of(ours.is_some() && !revoked && !away, "the guard is asked about a bad code")?;
            true_of(!window.is_certain(earliest, latest), "the guard is asked, although the clock can tell")
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
