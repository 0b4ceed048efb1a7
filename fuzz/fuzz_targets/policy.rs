//! Policies: reading is total and canonical, every question is answered, and what is certain over an interval holds at its ends.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tongguan_pass::policy::Edition;
use tongguan_pass::{
    Admission, Flags, Freshness, Interval, KeyId, Keyset, Live, Place, Policy, Purpose, RegistryKey, SigningKey,
    Unverified, Verified,
};

/// A live code of time 1000, good for 10 minutes; its key is good for 50.
static CODE: LazyLock<Verified> = LazyLock::new(|| {
    let (id, secret) = (KeyId(1), SigningKey::from_bytes(&[1; 32]));
    let key = RegistryKey { id, purpose: Purpose::Live, not_before: 0, not_after: 4000, key: secret.verifying_key() };
    let keys = Keyset::new(1, 0, vec![key]).expect("a good keyset");
    let flags = Flags::default();
    let live = Live { key: id, handle: 7, issued_at: 1000, ttl_minutes: 10, category: 1, community: 1, flags };
    Unverified::parse(&live.sign(&secret)).expect("a code").verify(&keys).expect("ours")
});

fn refused(admission: Admission) -> bool {
    matches!(admission, Admission::OutsideHours { .. } | Admission::WrongPlace | Admission::NotAdmitted)
}

// earliest 8, width 8, category, community, which communities the gate serves; then the file without its magic.
fuzz_target!(|data: &[u8]| {
    let Some((earliest, rest)) = data.split_first_chunk() else { return };
    let Some((width, rest)) = rest.split_first_chunk() else { return };
    let Some((&[category, community, served], file)) = rest.split_first_chunk() else { return };
    Policy::decode(file).ok();
    let bytes = [b"TGP1".as_slice(), file].concat();
    let Ok(policy) = Policy::decode(&bytes) else { return };
    assert_eq!(policy.encode(), bytes);

    let earliest = i64::from_be_bytes(*earliest);
    let latest = earliest.saturating_add(i64::from_be_bytes(*width) & i64::MAX);
    let now = Interval { earliest, latest };
    let communities = (0..4).filter(|c| served >> c & 1 == 1).collect();
    let place = Place { communities, otherwise: Edition::built_in() };
    let judge = |now| policy.judge(&place, category, community.into(), now);
    let said = judge(now);
    for at in [earliest, latest] {
        let exact = judge(Interval::exactly(at));
        match said {
            Admission::Uncertain => {}
            Admission::Pass | Admission::GuardCheck => assert_eq!(exact, said),
            _ => assert!(refused(exact)),
        }
    }
    if let Admission::OutsideHours { opens } = said {
        assert!(opens > latest && !refused(judge(Interval::exactly(opens))));
    }
    let limits = policy.list_limits(&place, now);
    assert!(limits.confirm_after <= policy.list_limits(&place, Interval::exactly(earliest)).confirm_after);

    let freshness = CODE.freshness_in(now, policy.surges());
    for at in [earliest, latest] {
        let exact = CODE.freshness_in(Interval::exactly(at), policy.surges());
        match freshness {
            // PF 7.4: a live code that exists has begun, whatever the lower end says.
            Freshness::Fresh => assert!(matches!(exact, Freshness::Fresh | Freshness::NotYetValid { .. })),
            Freshness::Expired { .. } => assert!(matches!(exact, Freshness::Expired { .. })),
            _ => {}
        }
    }
});
