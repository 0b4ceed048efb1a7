//! Over years of days, every purpose always has a key that signs, and gates that sync now and then know it in time.

use tongguan_pass::SigningKey;

use super::*;
use crate::domain::signers::Signers;

const START: u32 = 1_790_000_000;

fn secret(id: KeyId) -> SigningKey {
    let mut seed = [7; 32];
    seed[..2].copy_from_slice(&id.0.to_be_bytes());
    SigningKey::from_bytes(&seed)
}

fn filled(keys: &mut Vec<RegistryKey>, plan: &Plan) {
    keys.retain(|k| !plan.drop.contains(&k.id));
    keys.extend(plan.make.iter().map(|v| RegistryKey {
        id: v.id,
        purpose: v.purpose,
        not_before: v.not_before,
        not_after: v.not_after,
        key: secret(v.id).verifying_key(),
    }));
}

fn first() -> Vec<RegistryKey> {
    let mut keys = Vec::new();
    filled(&mut keys, &plan(&[], KeyId(0), Want::Due, START, KeyTerms::default()).expect("a plan"));
    keys
}

fn due(keys: &[RegistryKey], now: u32) -> Plan {
    let highest = keys.iter().map(|k| k.id).max().unwrap_or(KeyId(0));
    plan(keys, highest, Want::Due, now, KeyTerms::default()).expect("a plan")
}

#[test]
fn for_five_years_every_purpose_can_sign_its_longest_thing_and_gates_know_the_key_a_month_before() {
    let terms = KeyTerms::default();
    let mut keys = first();
    let mut known = std::collections::BTreeMap::new();
    for day in (0..5 * 365).step_by(5) {
        let now = START + day * DAY;
        let plan = due(&keys, now);
        filled(&mut keys, &plan);
        assert!(due(&keys, now).is_empty(), "twice does nothing new");
        keys.iter().for_each(|k| {
            known.entry(k.id).or_insert(now);
        });
        let keyset = Keyset::new(1, now, keys.clone()).expect("a keyset");
        let signers = Signers::of(&keyset, |k| Ok::<_, ()>(secret(k.id))).expect("keys");
        for purpose in Purpose::ALL {
            let longest = tail(purpose) - DAY;
            let (id, _) = signers.find(purpose, now, now + longest).expect("a key that signs");
            let lead = now - known[&id];
            assert!(id.0 <= 7 || lead >= terms.ahead, "key {} was known for {lead} s only", id.0);
            let current: Vec<_> =
                keys.iter().filter(|k| k.purpose == purpose && state(k, &keys, now) == State::Current).collect();
            assert_eq!(current.iter().map(|k| k.id).collect::<Vec<_>>(), [id]);
        }
    }
    assert!(keys.len() <= 16, "what has ended goes: {}", keys.len());
    assert!(keys.iter().all(|k| k.id.0 > 7));
}

#[test]
fn a_key_asked_for_starts_when_asked_and_the_old_one_stays_until_what_it_signed_has_ended() {
    let mut keys = first();
    let now = START + 10 * DAY;
    let want = Want::Next { purpose: Purpose::Certificate, from: Some(now + DAY) };
    let asked = plan(&keys, KeyId(5), want, now, KeyTerms::default()).expect("a plan");
    assert_eq!(asked.make.iter().map(|v| (v.id.0, v.not_before)).collect::<Vec<_>>(), [(6, now + DAY)]);
    filled(&mut keys, &asked);
    assert!(plan(&keys, KeyId(6), want, now, KeyTerms::default()).expect("a plan").is_empty());
    let old = keys[1].clone();
    let at = |days| state(&old, &keys, now + days * DAY);
    assert_eq!([at(0), at(1), at(4), at(5)], [State::Current, State::Retiring, State::Retiring, State::Ended]);
    assert_eq!(due(&keys, now + 5 * DAY).drop, [old.id]);
}

#[test]
fn a_next_key_may_not_start_after_the_current_one_has_stopped() {
    let keys = first();
    let want = Want::Next { purpose: Purpose::Live, from: Some(START + 366 * DAY) };
    let until = START + 365 * DAY;
    let refused = plan(&keys, KeyId(5), want, START, KeyTerms::default());
    assert_eq!(refused, Err(RotationError::TooLate { purpose: "live", until }));
}

#[test]
fn a_revoked_current_key_is_replaced_at_once_under_an_id_that_never_was() {
    let mut keys = first();
    let before = Keyset::new(1, START, keys.clone()).expect("a keyset");
    let gone = keys.remove(0);
    let fresh = plan(&keys, KeyId(9), Want::Due, START + DAY, KeyTerms::default()).expect("a plan");
    assert_eq!(fresh.make.len(), 1);
    assert_eq!((fresh.make[0].id, fresh.make[0].purpose, fresh.make[0].not_before), (KeyId(10), gone.purpose, START));
    filled(&mut keys, &fresh);
    let after = Keyset::new(2, START + DAY, keys).expect("a keyset");
    assert_eq!(revoked(&[before, after]), [(gone, START + DAY)]);
}

#[test]
fn a_key_that_left_when_it_had_ended_was_not_revoked() {
    let mut keys = first();
    let before = Keyset::new(1, START, keys.clone()).expect("a keyset");
    let gone = keys.remove(0);
    let after = Keyset::new(2, gone.not_after + 1, keys).expect("a keyset");
    assert_eq!(revoked(&[before, after]), []);
}

#[test]
fn a_registry_that_was_down_beyond_the_end_of_a_short_lived_key_makes_a_new_one_at_once() {
    let mut keys = first();
    let short = KeyTerms { life: 10 * DAY, ahead: DAY };
    let want = Want::Next { purpose: Purpose::Live, from: Some(START + DAY) };
    let next = plan(&keys, KeyId(5), want, START, short).expect("a plan");
    filled(&mut keys, &next);
    let now = START + 30 * DAY;
    let due = plan(&keys, KeyId(6), Want::Due, now, short).expect("a plan");
    filled(&mut keys, &due);
    let live: Vec<_> = keys.iter().filter(|k| k.purpose == Purpose::Live).map(|k| k.id.0).collect();
    assert_eq!(live, [7], "both earlier ones have ended, the first for having been relieved");
}

#[test]
fn ids_do_not_wrap_around() {
    let refused = plan(&[], KeyId(u16::MAX), Want::Due, START, KeyTerms::default());
    assert_eq!(refused, Err(RotationError::Ids));
}
