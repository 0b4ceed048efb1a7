//! From a text to a verdict. Pure: clock, keys, revocations, uses and policy are arguments.
//!
//! Never here: files, sockets, clocks, screens. What was decided can be asked again with the same arguments and gives
//! the same answer.

mod foreign;
mod holder;
mod hours;
mod ladder;
mod reason;
mod uses;
mod visitor;
mod what;
mod words;

pub use foreign::Foreign;
pub use holder::holder;
pub use hours::{clock_time, surge_words};
pub use ladder::{Dates, Keys, KnownTime, Ladder, Level, Lists};
pub use reason::{Detail, Reason};
pub use tongguan_pass::OutcomeCode as Verdict;
pub use uses::{CodeId, Use, Uses};
pub use visitor::{Known, decide_visitor};
pub use what::what;
pub use words::{Sentences, words};

use tongguan_pass::{
    Admission, Body, CodeError, Freshness, Interval, Keyset, Kind, Place, Policy, RevocationSet, Unverified, Verified,
};

/// Everything a decision depends on.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// Where the true time lies.
    pub now: Interval,
    /// The registry's keys; empty if there never was a sync.
    pub keys: &'a Keyset,
    /// The revoked handles.
    pub revocations: &'a RevocationSet,
    /// How far lists, clock and keys can be relied on.
    pub ladder: Ladder,
    /// The codes that were let in before.
    pub uses: &'a Uses,
    /// What is let in where, as the registry says.
    pub policy: &'a Policy,
    /// Where this gate is, and what holds where the policy says nothing.
    pub place: &'a Place,
}

/// The answer, and all that is known about the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Let in, ask the guard, turn away.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The figures that belong to the reason.
    pub detail: Detail,
    /// The kind of code, as far as it could be read.
    pub kind: Option<Kind>,
    /// What the registry signed; `None` unless the signatures hold.
    pub facts: Option<Facts>,
}

/// What the registry signed about the holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The pseudonym.
    pub handle: u32,
    /// The category.
    pub category: u8,
    /// The community.
    pub community: u32,
    /// How many people may enter on it: 1 but for a printed group pass.
    pub entries: u8,
    /// When the registry signed it, Unix seconds: that moment has passed. Of live codes only; the others name days to come.
    pub issued_at: Option<u32>,
}

/// Judges one text as a scanner read it.
pub fn decide(text: &str, inputs: &Inputs<'_>) -> Decision {
    let code = match Unverified::parse(text) {
        Ok(code) => code,
        Err(error) => return refused(None, error, text, inputs),
    };
    let kind = Some(code.claims().kind());
    match code.verify(inputs.keys) {
        Ok(verified) => {
            let (verdict, reason, detail) = judge(&verified, text, inputs);
            Decision { verdict, reason, detail, kind, facts: Some(facts(verified.body())) }
        }
        Err(error) => refused(kind, error, text, inputs),
    }
}

/// The checks in the order in which their answers help the guard most: what is certainly refused first, and then what needs
/// the guard.
fn judge(code: &Verified, text: &str, inputs: &Inputs<'_>) -> (Verdict, Reason, Detail) {
    let deny = |reason| (Verdict::Deny, reason, Detail::None);
    let body = code.body();
    if body.flags().specimen {
        return deny(Reason::Specimen);
    }
    if inputs.revocations.get(body.handle()).is_some() {
        return deny(Reason::Revoked);
    }
    let asks = match admission(body.category(), body.community(), inputs) {
        Ok(asks) => asks,
        Err((reason, detail)) => return (Verdict::Deny, reason, detail),
    };
    let freshness = code.freshness_in(inputs.now, inputs.policy.surges());
    match freshness {
        Freshness::Fresh | Freshness::Uncertain => {}
        Freshness::Expired { ago } => return (Verdict::Deny, Reason::Expired, Detail::Seconds(ago)),
        Freshness::NotYetValid { ahead } => return (Verdict::Deny, Reason::NotYetValid, Detail::Seconds(ahead)),
        Freshness::PhoneClock { ahead } => return (Verdict::Deny, Reason::PhoneClockWrong, Detail::Seconds(ahead)),
    }
    // A paper is shown again and again for days; a code on a phone is new every ten minutes. One that only a surge keeps good
    // would have been followed by another in that time.
    let counts_for = match (body, code.freshness(inputs.now)) {
        (Body::Printed(_), _) => -1,
        (Body::Live(live), Freshness::Expired { .. }) => i64::from(live.ttl_minutes) * 60,
        _ => i64::MAX,
    };
    if let Some(used) = inputs.uses.of(&CodeId::of(text))
        && let ago = (inputs.now.earliest - used.at).max(0)
        && ago <= counts_for
    {
        return (Verdict::Deny, Reason::AlreadyUsed, Detail::Used { ago, lane: used.lane.clone() });
    }
    // A live code is revoked by not renewing it; only the longer-lived ones depend on fresh lists.
    let lists = if body.kind() == Kind::Live { None } else { Some(inputs.ladder.lists) };
    if let Some(Lists::Void { ago, .. }) = lists {
        return (Verdict::Deny, Reason::ListStale, Detail::Seconds(ago));
    }
    if freshness == Freshness::Uncertain {
        return (Verdict::Confirm, Reason::ClockUncertain, Detail::None);
    }
    if let Some(Lists::Stale { ago, .. }) = lists {
        return (Verdict::Confirm, Reason::ListStale, Detail::Seconds(ago));
    }
    if let Some(reason) = asks {
        return (Verdict::Confirm, reason, Detail::None);
    }
    let detail = match body {
        Body::Printed(pass) if pass.entries > 1 => Detail::Group(pass.entries),
        Body::Printed(_) => Detail::Look,
        _ => Detail::None,
    };
    (Verdict::Pass, Reason::Fresh, detail)
}

/// What the policy says: let in, or let in if the guard agrees (with why they are asked).
///
/// # Errors
/// Why nobody like that is let in now.
fn admission(category: u8, community: u32, inputs: &Inputs<'_>) -> Result<Option<Reason>, (Reason, Detail)> {
    match inputs.policy.judge(inputs.place, category, community, inputs.now) {
        Admission::Pass => Ok(None),
        Admission::GuardCheck => Ok(Some(Reason::GuardCheck)),
        Admission::Uncertain => Ok(Some(Reason::ClockUncertain)),
        Admission::WrongPlace => Err((Reason::WrongPlace, Detail::None)),
        Admission::NotAdmitted => Err((Reason::NotAdmitted, Detail::None)),
        Admission::OutsideHours { opens } => {
            let when = hours::opening(opens, inputs.now.latest, inputs.policy.utc_offset());
            Err((Reason::OutsideHours, Detail::Opens { at: opens, when }))
        }
    }
}

/// A code that did not get as far as its freshness.
fn refused(kind: Option<Kind>, error: CodeError, text: &str, inputs: &Inputs<'_>) -> Decision {
    let (reason, detail) = match error {
        CodeError::NotOurs => (Reason::NotOurCode, Detail::Foreign(Foreign::of(text))),
        CodeError::UnknownFormat | CodeError::UnknownKind(_) => (Reason::UnknownKind, Detail::None),
        CodeError::UnknownKey(_) => (Reason::UnknownKey, Detail::None),
        CodeError::WrongPurpose(_)
        | CodeError::HolderKey
        | CodeError::RegistrySignature
        | CodeError::HolderSignature => (Reason::Forged, Detail::None),
        // Whatever else may be wrong with its form, it cannot be read.
        _ => (Reason::Damaged, Detail::None),
    };
    // A key we do not know yet is our lack if our lists are old: the guard may look and decide. With current lists, which
    // hold the next keys ahead, it is more likely made up.
    let ours_are_old = inputs.ladder.lists.level() != Level::Green;
    let verdict = if reason == Reason::UnknownKey && ours_are_old { Verdict::Confirm } else { Verdict::Deny };
    Decision { verdict, reason, detail, kind, facts: None }
}

fn facts(body: &Body) -> Facts {
    let entries = if let Body::Printed(printed) = body { printed.entries } else { 1 };
    let issued_at = if let Body::Live(live) = body { Some(live.issued_at) } else { None };
    Facts { handle: body.handle(), category: body.category(), community: body.community(), entries, issued_at }
}

#[cfg(test)]
mod tests;
