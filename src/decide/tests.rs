//! The decision, from codes signed with test keys.

use tongguan_pass::policy::{Answer, Edition, ListLimits, Rule, Surge, Who};
use tongguan_pass::{
    Carried, Certificate, ClockSource, Flags, KeyId, Live, Printed, Purpose, RegistryKey, Resident, Revocation,
    SigningKey,
};

use super::*;

const NOW: u32 = 1_800_000_000;

fn key(purpose: Purpose) -> SigningKey {
    SigningKey::from_bytes(&[purpose as u8; 32])
}

struct World {
    now: Interval,
    keys: Keyset,
    revocations: RevocationSet,
    lists_expire_at: i64,
    uses: Uses,
    policy: Policy,
    place: Place,
}

impl World {
    fn new() -> Self {
        let keys = Purpose::ALL.map(|purpose| RegistryKey {
            id: KeyId(purpose as u16),
            purpose,
            not_before: NOW - 100_000,
            not_after: NOW + 10_000_000,
            key: key(purpose).verifying_key(),
        });
        Self {
            now: Interval::exactly(i64::from(NOW)),
            keys: Keyset::new(1, NOW, keys.to_vec()).unwrap(),
            revocations: RevocationSet::default(),
            lists_expire_at: i64::from(NOW) + 3600,
            uses: Uses::default(),
            policy: Policy::default(),
            place: Place { communities: vec![], otherwise: Edition::built_in() },
        }
    }

    fn inputs(&self) -> Inputs<'_> {
        Inputs {
            now: self.now,
            keys: &self.keys,
            revocations: &self.revocations,
            ladder: Ladder::of(
                self.now,
                ClockSource::Synced,
                Some(Dates { issued_at: i64::from(NOW) - 600, expires_at: self.lists_expire_at }),
                &self.keys,
                self.policy.list_limits(&self.place, self.now),
            ),
            uses: &self.uses,
            policy: &self.policy,
            place: &self.place,
        }
    }

    fn decide(&self, text: &str) -> Decision {
        decide(text, &self.inputs())
    }

    fn visitor(&self, known: &Known) -> (Verdict, Reason) {
        let decision = decide_visitor(known, 2, &self.inputs());
        (decision.verdict, decision.reason)
    }

    fn says(&self, text: &str) -> (Verdict, Reason) {
        let decision = self.decide(text);
        (decision.verdict, decision.reason)
    }
}

fn live() -> Live {
    Live {
        key: KeyId(1),
        handle: 77,
        issued_at: NOW - 60,
        ttl_minutes: 10,
        category: 1,
        community: 1,
        flags: Flags::default(),
    }
}

fn live_text() -> String {
    live().sign(&key(Purpose::Live))
}

fn carried_text(made_at: u32) -> String {
    let holder = SigningKey::from_bytes(&[99; 32]);
    let certificate = Certificate {
        key: KeyId(2),
        handle: 77,
        valid_from: NOW - 3600,
        hours: 24,
        category: 1,
        community: 1,
        flags: Flags::default(),
        holder: holder.verifying_key(),
    };
    Carried::make(&certificate.sign(&key(Purpose::Certificate)), made_at, &holder)
}

fn printed_text() -> String {
    printed_for(1)
}

fn printed_for(entries: u8) -> String {
    let printed = Printed {
        key: KeyId(3),
        handle: 77,
        valid_from: NOW - 3600,
        valid_to: NOW + 86_400,
        category: 1,
        community: 1,
        building: 0,
        entries,
        flags: Flags::default(),
    };
    printed.sign(&key(Purpose::Printed))
}

#[test]
fn fresh_codes_of_every_kind_pass() {
    let world = World::new();
    for text in [live_text(), carried_text(NOW), printed_text()] {
        assert_eq!(world.says(&text), (Verdict::Pass, Reason::Fresh));
    }
    assert_eq!(world.decide(&printed_text()).detail, Detail::Look);
    let group = world.decide(&printed_for(5));
    assert_eq!((group.verdict, group.detail, group.facts.unwrap().entries), (Verdict::Pass, Detail::Group(5), 5));
}

#[test]
fn a_live_code_is_good_to_its_last_second_and_no_longer() {
    let mut world = World::new();
    world.now = Interval::exactly(i64::from(NOW) - 60 + 600);
    assert_eq!(world.says(&live_text()), (Verdict::Pass, Reason::Fresh));
    world.now = Interval::exactly(i64::from(NOW) - 60 + 601);
    let decision = world.decide(&live_text());
    assert_eq!((decision.reason, decision.detail), (Reason::Expired, Detail::Seconds(1)));
}

#[test]
fn a_clock_that_cannot_tell_asks_the_guard_and_one_that_can_does_not() {
    let mut world = World::new();
    world.now = Interval { earliest: i64::from(NOW), latest: i64::MAX };
    assert_eq!(world.says(&live_text()), (Verdict::Confirm, Reason::ClockUncertain));
    world.now = Interval { earliest: i64::from(NOW) + 541, latest: i64::MAX };
    assert_eq!(world.says(&live_text()), (Verdict::Deny, Reason::Expired));
}

#[test]
fn a_revoked_handle_is_refused_in_every_kind_of_code() {
    let mut world = World::new();
    let revoked = Revocation { handle: 77, reason: 1, expiry_day: u16::MAX };
    world.revocations = RevocationSet::new(vec![revoked]).unwrap();
    for text in [live_text(), carried_text(NOW), printed_text()] {
        assert_eq!(world.says(&text), (Verdict::Deny, Reason::Revoked));
    }
}

#[test]
fn a_fast_phone_is_told_so() {
    let decision = World::new().decide(&carried_text(NOW + 840));
    assert_eq!((decision.reason, decision.detail), (Reason::PhoneClockWrong, Detail::Seconds(840)));
}

#[test]
fn a_code_let_in_before_is_refused_with_when_and_where_but_paper_is_not() {
    let mut world = World::new();
    for text in [live_text(), printed_text()] {
        world.uses.record(CodeId::of(&text), Use { at: i64::from(NOW) - 180, lane: "lane 2".into() });
    }
    let decision = world.decide(&live_text());
    assert_eq!(decision.reason, Reason::AlreadyUsed);
    assert_eq!(decision.detail, Detail::Used { ago: 180, lane: "lane 2".into() });
    assert_eq!(world.says(&printed_text()), (Verdict::Pass, Reason::Fresh));
}

#[test]
fn a_gate_for_some_communities_refuses_the_others() {
    let mut world = World::new();
    world.place.communities = vec![2, 3];
    assert_eq!(world.says(&live_text()), (Verdict::Deny, Reason::WrongPlace));
    world.place.communities.push(1);
    assert_eq!(world.says(&live_text()), (Verdict::Pass, Reason::Fresh));
}

#[test]
fn lists_that_are_much_too_old_need_the_guard_for_all_but_live_codes() {
    let mut world = World::new();
    world.lists_expire_at = i64::from(NOW) - 8 * 86_400;
    assert_eq!(world.says(&live_text()), (Verdict::Pass, Reason::Fresh));
    assert_eq!(world.says(&carried_text(NOW)), (Verdict::Confirm, Reason::ListStale));
    assert_eq!(world.says(&printed_text()), (Verdict::Confirm, Reason::ListStale));
}

/// Rules for community 1, in which the gate stands; [`NOW`] is Friday 16:00 in UTC+8.
fn governed(rules: &[Rule]) -> World {
    let lists = ListLimits { confirm_after: 24, deny_after: 72 };
    let edition = Edition { community: 1, effective_from: 1, lists, rules: rules.to_vec() };
    let policy = Policy::new(480, vec![], vec![edition]).unwrap();
    let place = Place { communities: vec![1], otherwise: Edition::built_in() };
    World { policy, place, ..World::new() }
}

#[test]
fn the_policy_says_who_is_let_in_and_why_somebody_is_not() {
    let own = governed(&[Rule::OWN]);
    assert_eq!(own.says(&live_text()), (Verdict::Pass, Reason::Fresh));
    let other = Live { community: 2, ..live() }.sign(&key(Purpose::Live));
    assert_eq!(own.says(&other), (Verdict::Deny, Reason::WrongPlace));
    assert_eq!(governed(&[]).says(&live_text()), (Verdict::Deny, Reason::NotAdmitted));
    let guard = governed(&[Rule { answer: Answer::Confirm, who: Who::Any, ..Rule::OWN }]);
    assert_eq!(guard.says(&other), (Verdict::Confirm, Reason::GuardCheck));
    // Sunday is the next day after Friday on which anybody is let in.
    let sundays = governed(&[Rule { days: 64, from: 360, ..Rule::OWN }]);
    let decision = sundays.decide(&live_text());
    assert_eq!((decision.verdict, decision.reason), (Verdict::Deny, Reason::OutsideHours));
    assert_eq!(words(&decision).guard.en, "May enter from Sunday 06:00: do not let in now");
    assert_eq!(words(&decision).resident.zh, "请在周日06:00以后再来");
}

#[test]
fn where_the_clock_cannot_tell_the_hour_the_guard_is_asked_but_what_is_certain_is_refused() {
    let mut world = governed(&[Rule { from: 0, until: 16 * 60, ..Rule::OWN }]);
    world.now = Interval { earliest: i64::from(NOW) - 1, latest: i64::from(NOW) };
    assert_eq!(world.says(&live_text()), (Verdict::Confirm, Reason::ClockUncertain));
    let old = Live { issued_at: NOW - 700, ..live() }.sign(&key(Purpose::Live));
    assert_eq!(world.says(&old), (Verdict::Deny, Reason::Expired));
    world.now = Interval { earliest: i64::from(NOW) - 1, latest: i64::MAX };
    let other = Live { community: 2, ..live() }.sign(&key(Purpose::Live));
    assert_eq!(world.says(&other), (Verdict::Deny, Reason::WrongPlace), "at no time");
}

#[test]
fn lists_that_the_policy_calls_too_old_are_refused_even_where_the_clock_cannot_tell_more() {
    let mut world = governed(&[Rule::OWN]);
    world.lists_expire_at = i64::from(NOW) - 24 * 3_600;
    assert_eq!(world.says(&carried_text(NOW)), (Verdict::Confirm, Reason::ListStale));
    world.lists_expire_at = i64::from(NOW) - 72 * 3_600;
    assert_eq!(world.says(&live_text()), (Verdict::Pass, Reason::Fresh));
    assert_eq!(world.says(&printed_text()), (Verdict::Deny, Reason::ListStale));
    world.now.latest = i64::MAX;
    assert_eq!(world.says(&carried_text(NOW)), (Verdict::Deny, Reason::ListStale));
    assert_eq!(world.says(&live_text()), (Verdict::Confirm, Reason::ClockUncertain));
}

#[test]
fn in_a_surge_an_old_live_code_is_good_and_an_old_carried_one_is_not() {
    let surge = Surge { from: NOW - 1_000, until: NOW + 1_000, minutes: 60 };
    let policy = Policy::new(480, vec![surge], vec![]).unwrap();
    let mut world = World { policy, ..World::new() };
    let old = Live { issued_at: NOW - 3_000, ..live() }.sign(&key(Purpose::Live));
    assert_eq!(world.says(&old), (Verdict::Pass, Reason::Fresh));
    assert_eq!(world.says(&carried_text(NOW - 601)), (Verdict::Deny, Reason::Expired));
    let mut used = |ago: i64| {
        world.uses.record(CodeId::of(&old), Use { at: i64::from(NOW) - ago, lane: "1".into() });
        world.says(&old).1
    };
    assert_eq!(used(600), Reason::AlreadyUsed);
    assert_eq!(used(601), Reason::Fresh, "its holder would have a new one by now, if there were any");
    world.now = Interval::exactly(i64::from(NOW) + 1_001);
    assert_eq!(world.says(&old), (Verdict::Deny, Reason::Expired));
}

#[test]
fn a_key_not_known_here_asks_for_a_sync_and_never_says_forged() {
    let text = Live { key: KeyId(9), ..live() }.sign(&key(Purpose::Live));
    let mut world = World::new();
    assert_eq!(world.says(&text), (Verdict::Deny, Reason::UnknownKey), "current lists hold the next keys ahead");
    world.lists_expire_at = i64::from(NOW) - 1;
    assert_eq!(
        world.says(&text),
        (Verdict::Confirm, Reason::UnknownKey),
        "the guard may decide while our lists are old"
    );
}

#[test]
fn forgeries_and_specimens_are_refused() {
    let world = World::new();
    let by_another_key = live().sign(&SigningKey::from_bytes(&[7; 32]));
    assert_eq!(world.says(&by_another_key), (Verdict::Deny, Reason::Forged));
    let by_a_key_for_lists = Live { key: KeyId(4), ..live() }.sign(&key(Purpose::Lists));
    assert_eq!(world.says(&by_a_key_for_lists), (Verdict::Deny, Reason::Forged));
    let specimen = Live { flags: Flags { specimen: true }, ..live() }.sign(&key(Purpose::Live));
    assert_eq!(world.says(&specimen), (Verdict::Deny, Reason::Specimen));
}

#[test]
fn a_forgery_names_no_holder() {
    let decision = World::new().decide(&live().sign(&SigningKey::from_bytes(&[7; 32])));
    assert_eq!((decision.kind, decision.facts), (Some(Kind::Live), None));
}

#[test]
fn whatever_else_is_shown_gets_a_name() {
    let world = World::new();
    let lower = live_text().to_lowercase();
    let cut = &live_text()[..100];
    let huge = "A".repeat(10_000_000);
    let huge_ours = format!("TG1:{huge}");
    for (text, reason) in [
        ("", Reason::NotOurCode),
        ("wxp://f2f0", Reason::NotOurCode),
        ("\u{0}\u{1}binary", Reason::NotOurCode),
        (huge.as_str(), Reason::NotOurCode),
        (huge_ours.as_str(), Reason::Damaged),
        (lower.as_str(), Reason::Damaged),
        (cut, Reason::Damaged),
        ("TG2:ABC", Reason::UnknownKind),
    ] {
        assert_eq!(world.says(text), (Verdict::Deny, reason), "{}", &text.chars().take(20).collect::<String>());
    }
}

#[test]
fn a_document_in_the_roster_is_judged_by_the_policy_and_the_lists_and_any_other_by_the_guard() {
    let resident = |handle| Resident { handle, category: 1, ..Resident::default() };
    let listed = |handle| Known::Listed { community: 1, resident: resident(handle) };
    let mut world = World::new();
    assert_eq!(world.visitor(&listed(77)), (Verdict::Pass, Reason::Listed));
    assert_eq!(decide_visitor(&listed(77), 3, &world.inputs()).facts.map(|f| (f.handle, f.entries)), Some((77, 3)));
    assert_eq!(world.visitor(&Known::NotListed), (Verdict::Confirm, Reason::NotListed));
    assert_eq!(world.visitor(&Known::NoRoster), (Verdict::Confirm, Reason::NoRoster));
    assert_eq!(world.visitor(&Known::NoDocument), (Verdict::Confirm, Reason::NoDocument));

    world.revocations = RevocationSet::new(vec![Revocation { handle: 77, reason: 1, expiry_day: u16::MAX }]).unwrap();
    assert_eq!(world.visitor(&listed(77)), (Verdict::Deny, Reason::Revoked));
    assert_eq!(world.visitor(&listed(0)), (Verdict::Pass, Reason::Listed), "0 is no handle");

    let mut world = World::new();
    world.lists_expire_at = i64::from(NOW) - 400 * 3600;
    assert_eq!(world.visitor(&listed(77)), (Verdict::Confirm, Reason::ListStale));
    let mut world = World::new();
    world.now.latest = i64::MAX;
    assert_eq!(world.visitor(&listed(77)), (Verdict::Confirm, Reason::ClockUncertain));
    let mut world = World::new();
    world.place.communities = vec![2];
    assert_eq!(world.visitor(&listed(77)), (Verdict::Deny, Reason::WrongPlace));
    assert_eq!(world.visitor(&Known::NotListed), (Verdict::Confirm, Reason::NotListed));
}

#[test]
fn a_code_says_who_stands_there_only_where_nothing_is_in_doubt() {
    let holder = |world: &World, text: &str| holder(text, &world.inputs());
    let world = World::new();
    assert_eq!(holder(&world, &live_text()), Some(77));
    assert_eq!(holder(&world, &carried_text(NOW)), Some(77));
    assert_eq!(holder(&world, &printed_text()), None, "a picture of it is as good");
    assert_eq!(holder(&world, &Live { issued_at: NOW - 601, ..live() }.sign(&key(Purpose::Live))), None);
    assert_eq!(holder(&world, &live().sign(&key(Purpose::Certificate))), None, "forged");
    let specimen = Live { flags: Flags { specimen: true }, ..live() }.sign(&key(Purpose::Live));
    assert_eq!(holder(&world, &specimen), None);

    let unsure = World { now: Interval { earliest: i64::from(NOW), latest: i64::from(NOW) + 3600 }, ..World::new() };
    assert_eq!(holder(&unsure, &live_text()), None);
    let stale = World { lists_expire_at: i64::from(NOW) - 169 * 3600, ..World::new() };
    assert_eq!((holder(&stale, &live_text()), holder(&stale, &carried_text(NOW))), (Some(77), None));
    let mut used = World::new();
    used.uses.record(CodeId::of(&live_text()), Use { at: i64::from(NOW), lane: "1".into() });
    assert_eq!(holder(&used, &live_text()), None, "others may have seen it");
}
