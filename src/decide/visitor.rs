//! Somebody without a code: what the rosters know of their document decides, with the policy that holds for codes.

use tongguan_pass::Resident;

use super::{Decision, Detail, Facts, Inputs, Lists, Reason, Verdict, admission};

/// What is known of somebody without a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// The document is in a community's roster.
    Listed {
        /// Whose roster.
        community: u32,
        /// Who.
        resident: Resident,
    },
    /// It is in no roster here.
    NotListed,
    /// There is no roster here.
    NoRoster,
    /// There is no document either.
    NoDocument,
}

/// Judges somebody without a code who comes with so many people in all. Nobody is turned away for having no phone: whom the
/// rosters do not know, the guard looks at.
pub fn decide_visitor(known: &Known, people: u8, inputs: &Inputs<'_>) -> Decision {
    let facts = match known {
        Known::Listed { community, resident } => {
            let (handle, category) = (resident.handle, resident.category);
            Some(Facts { handle, category, community: *community, entries: people, issued_at: None })
        }
        _ => None,
    };
    let (verdict, reason, detail) = match (known, facts) {
        (Known::Listed { .. }, Some(facts)) => judge(facts, inputs),
        (Known::NoRoster, _) => (Verdict::Confirm, Reason::NoRoster, Detail::None),
        (Known::NoDocument, _) => (Verdict::Confirm, Reason::NoDocument, Detail::None),
        _ => (Verdict::Confirm, Reason::NotListed, Detail::None),
    };
    Decision { verdict, reason, detail, kind: None, facts }
}

/// As for a printed code: the roster is as old as the lists.
fn judge(facts: Facts, inputs: &Inputs<'_>) -> (Verdict, Reason, Detail) {
    if facts.handle != 0 && inputs.revocations.get(facts.handle).is_some() {
        return (Verdict::Deny, Reason::Revoked, Detail::None);
    }
    let asks = match admission(facts.category, facts.community, inputs) {
        Ok(asks) => asks,
        Err((reason, detail)) => return (Verdict::Deny, reason, detail),
    };
    match (inputs.ladder.lists, asks) {
        // Nothing tells how old they are.
        (Lists::Perhaps, _) => (Verdict::Confirm, Reason::ClockUncertain, Detail::None),
        (Lists::Void { ago, .. }, _) => (Verdict::Deny, Reason::ListStale, Detail::Seconds(ago)),
        (Lists::Stale { ago, .. }, _) => (Verdict::Confirm, Reason::ListStale, Detail::Seconds(ago)),
        (_, Some(reason)) => (Verdict::Confirm, reason, Detail::None),
        (_, None) => (Verdict::Pass, Reason::Listed, Detail::None),
    }
}
