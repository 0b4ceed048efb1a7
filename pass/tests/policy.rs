//! What holds for every policy: a file says one thing, and what is said over an interval holds at each of its moments.

use proptest::prelude::*;
use tongguan_pass::policy::{Answer, Edition, ListLimits, Rule, Surge, Who};
use tongguan_pass::{
    Admission, Flags, Freshness, Interval, KeyId, Keyset, Live, Place, Policy, Purpose, RegistryKey, SigningKey,
    Unverified, Verified, limits,
};

const NOW: u32 = 1_790_000_000;

prop_compose! {
    fn rule()(
        (first, last) in prop_oneof![Just((0, 255)), Just((1, 1)), Just((2, 9))],
        own: bool, days in prop_oneof![Just(Rule::ALL_DAYS), 1..=127_u8],
        from in 0..24_u16, until in 1..=24_u16, minute in 0..2_u16, answer in 0..3_usize,
    ) -> Rule {
        let (from, until) = (from * 60 + minute, until * 60);
        let until = if from == until { 1_440 } else { until };
        let who = if own { Who::Own } else { Who::Any };
        Rule { first, last, who, days, from, until, answer: [Answer::Deny, Answer::Confirm, Answer::Pass][answer] }
    }
}

prop_compose! {
    fn edition()(
        community in 0..3_u32, day in -3..6_i64, confirm_after in 0..300_u16, more in 0..400_u16,
        rules in prop::collection::vec(rule(), 0..5), late in 0..90_000_i64,
    ) -> Edition {
        let effective_from = u32::try_from(i64::from(NOW) + day * 86_400 + late).expect("good");
        let lists = ListLimits { confirm_after, deny_after: confirm_after + more };
        Edition { community, effective_from, lists, rules }
    }
}

prop_compose! {
    fn surges()(gaps in prop::collection::vec((1..4000_u32, 0..9000_u32, 11..=60_u8), 0..4)) -> Vec<Surge> {
        let mut at = NOW - 9000;
        gaps.into_iter().map(|(gap, length, minutes)| {
            let surge = Surge { from: at + gap, until: at + gap + length, minutes };
            at = surge.until;
            surge
        }).collect()
    }
}

prop_compose! {
    fn policy()(offset in -720..=840_i16, surges in surges(), mut editions in prop::collection::vec(edition(), 0..6)) -> Policy {
        editions.sort_by_key(|e| (e.community, e.effective_from));
        editions.dedup_by_key(|e| (e.community, e.effective_from));
        Policy::new(offset, surges, editions).expect("made to be good")
    }
}

fn place(communities: Vec<u32>) -> Place {
    Place { communities, otherwise: Edition::built_in() }
}

/// Every moment of an interval at which something can change, and more: each minute, and both sides of each edition.
fn moments(policy: &Policy, now: Interval) -> Vec<i64> {
    let starts = policy.editions().iter().map(|e| i64::from(e.effective_from)).flat_map(|at| [at - 1, at]);
    let minutes = (now.earliest.div_euclid(60)..=now.latest.div_euclid(60)).map(|minute| minute * 60);
    let all = starts.chain(minutes).chain([now.earliest, now.latest]);
    all.filter(|at| (now.earliest..=now.latest).contains(at)).collect()
}

fn refused(admission: Admission) -> bool {
    matches!(admission, Admission::OutsideHours { .. } | Admission::WrongPlace | Admission::NotAdmitted)
}

proptest! {
    #[test]
    fn a_policy_is_read_as_it_was_written(policy in policy()) {
        let file = policy.encode();
        prop_assert_eq!(Policy::decode(&file), Ok(policy));
    }

    #[test]
    fn whatever_is_read_is_written_back_byte_for_byte(
        policy in policy(), at: prop::sample::Index, byte: u8, cut: prop::sample::Index,
    ) {
        let mut file = policy.encode();
        let at = at.index(file.len());
        file[at] = byte;
        if let Ok(read) = Policy::decode(&file) {
            prop_assert_eq!(read.encode(), file.clone());
        }
        let cut = cut.index(file.len());
        prop_assert!(Policy::decode(&file[..cut]).is_err());
        file.push(0);
        prop_assert!(Policy::decode(&file).is_err());
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused_and_any_question_is_answered(
        bytes in prop::collection::vec(any::<u8>(), 0..200), policy in policy(),
        earliest: i64, width in 0..i64::MAX, category: u8, community: u32,
    ) {
        let _ = Policy::decode(&bytes);
        let _ = Policy::decode(&[b"TGP1".as_slice(), &bytes].concat());
        let now = Interval { earliest, latest: earliest.saturating_add(width) };
        for communities in [vec![], vec![community], vec![0, 1, 2]] {
            let _ = policy.judge(&place(communities.clone()), category, community, now);
            let _ = policy.list_limits(&place(communities), now);
        }
    }

    #[test]
    fn what_is_certain_over_an_interval_holds_at_each_moment_of_it(
        policy in policy(), communities in prop::collection::vec(0..4_u32, 0..3),
        category in 0..4_u8, community in 0..4_u32, start in -200_000..600_000_i64, width in 0..200_000_i64,
    ) {
        let place = place(communities);
        let earliest = i64::from(NOW) + start;
        let now = Interval { earliest, latest: earliest + width };
        let said = policy.judge(&place, category, community, now);
        let exact: Vec<Admission> = moments(&policy, now).into_iter()
            .map(|at| policy.judge(&place, category, community, Interval::exactly(at))).collect();
        match said {
            Admission::Pass | Admission::GuardCheck => prop_assert!(exact.iter().all(|e| *e == said), "{said:?} {exact:?}"),
            // With one community nothing is called uncertain that is not.
            Admission::Uncertain => prop_assert!(
                place.communities.len() > 1 || exact.iter().any(|e| refused(*e) != refused(exact[0]) || (!refused(*e) && *e != exact[0]))
            ),
            _ => prop_assert!(exact.iter().all(|e| refused(*e)), "{said:?} {exact:?}"),
        }
        if let Admission::OutsideHours { opens } = said {
            prop_assert!(!refused(policy.judge(&place, category, community, Interval::exactly(opens))));
            for at in moments(&policy, Interval { earliest: now.latest + 1, latest: opens - 1 }) {
                prop_assert!(refused(policy.judge(&place, category, community, Interval::exactly(at))), "{at}");
            }
        }
        // With no upper bound all times to come count.
        let open = policy.judge(&place, category, community, Interval { earliest, latest: i64::MAX });
        if matches!(open, Admission::Pass | Admission::GuardCheck) {
            prop_assert!(exact.iter().all(|e| *e == open));
        }
        if refused(open) {
            prop_assert!(exact.iter().all(|e| refused(*e)));
        }
    }

    #[test]
    fn the_hours_of_expired_lists_are_the_safe_ones_of_the_interval(
        policy in policy(), community in 0..4_u32, start in -200_000..600_000_i64, width in 0..200_000_i64,
    ) {
        let place = place(vec![community]);
        let earliest = i64::from(NOW) + start;
        let now = Interval { earliest, latest: earliest + width };
        let exact: Vec<ListLimits> = moments(&policy, now).into_iter()
            .map(|at| policy.list_limits(&place, Interval::exactly(at))).collect();
        let limits = policy.list_limits(&place, now);
        prop_assert_eq!(Some(limits.confirm_after), exact.iter().map(|l| l.confirm_after).min());
        prop_assert_eq!(Some(limits.deny_after), exact.iter().map(|l| l.deny_after).max());
    }

    #[test]
    fn a_surge_is_obeyed_at_each_moment_and_never_beyond_the_key(
        surges in surges(), ttl_minutes in 1..=60_u8, issued in -12_000..9000_i64, key_for in 0..9000_u32,
        start in -12_000..20_000_i64, width in 0..9000_i64,
    ) {
        let issued_at = u32::try_from(i64::from(NOW) + issued).expect("good");
        let code = verified(issued_at, ttl_minutes, issued_at + key_for);
        let earliest = i64::from(NOW) + start;
        let now = Interval { earliest, latest: earliest + width };
        let good = |at: i64| {
            let minutes = surges.iter().find(|s| (i64::from(s.from)..=i64::from(s.until)).contains(&at)).map_or(0, |s| s.minutes);
            let end = i64::from(issued_at) + 60 * i64::from(minutes.max(ttl_minutes));
            at <= end && at <= i64::from(issued_at) + i64::from(key_for)
        };
        let ends = surges.iter().flat_map(|s| [i64::from(s.from) - 1, i64::from(s.from), i64::from(s.until), i64::from(s.until) + 1]);
        let moments: Vec<i64> = ends.chain((0..=width).step_by(97).map(|s| earliest + s)).chain([now.latest])
            .filter(|at| (now.earliest..=now.latest).contains(at)).collect();
        let said = code.freshness_in(now, &surges);
        match said {
            Freshness::Fresh => prop_assert!(moments.iter().all(|at| good(*at))),
            Freshness::Expired { ago } => {
                prop_assert!(moments.iter().all(|at| !good(*at)));
                prop_assert!(good(earliest - ago) && (1..ago.min(300)).all(|s| !good(earliest - s)));
            }
            Freshness::NotYetValid { .. } => prop_assert!(now.latest < i64::from(issued_at)),
            Freshness::Uncertain => prop_assert!(now.earliest != now.latest),
            Freshness::PhoneClock { .. } => prop_assert!(false, "a live code"),
        }
        for at in &moments {
            let exact = code.freshness_in(Interval::exactly(*at), &surges);
            prop_assert_eq!(exact == Freshness::Fresh, good(*at) && *at >= i64::from(issued_at), "{:?}", exact);
        }
        let open = code.freshness_in(Interval { earliest, latest: i64::MAX }, &surges);
        prop_assert_ne!(open, Freshness::Fresh);
    }
}

fn verified(issued_at: u32, ttl_minutes: u8, not_after: u32) -> Verified {
    let key = SigningKey::from_bytes(&[1; 32]);
    let (id, purpose, public) = (KeyId(1), Purpose::Live, key.verifying_key());
    let keys =
        Keyset::new(1, 0, vec![RegistryKey { id, purpose, not_before: 0, not_after, key: public }]).expect("good");
    let flags = Flags::default();
    let live = Live { key: id, handle: 7, issued_at, ttl_minutes, category: 1, community: 1, flags };
    Unverified::parse(&live.sign(&key)).expect("good").verify(&keys).expect("good")
}

#[test]
fn a_policy_that_is_longer_than_it_may_be_is_refused_before_it_is_read() {
    let edition = |community| Edition { community, ..Edition::built_in() };
    let many = |n| Policy::new(480, Vec::new(), (0..n).map(edition).collect());
    // 9 bytes before the editions, and 13 and 9 for each.
    let most = u32::try_from((limits::POLICY_BYTES - 9) / 22).expect("good");
    assert!(many(most).is_ok());
    assert!(matches!(many(most + 1), Err(tongguan_pass::ListError::TooLong { .. })));
}

#[test]
fn the_dearest_question_there_can_be_is_answered() {
    let rule = |n: u16| Rule { from: n, until: 700 + n, days: 1, answer: Answer::Deny, who: Who::Any, ..Rule::OWN };
    let rules: Vec<Rule> = (0..32).map(rule).collect();
    let edition = |n| Edition { effective_from: n, rules: rules.clone(), ..Edition::built_in() };
    let policy = Policy::new(480, Vec::new(), (0..16).map(edition).collect()).expect("good");
    // 16 editions of a week's 448 ends of hours, 32 rules each.
    let now = Interval { earliest: 0, latest: i64::MAX };
    let place = Place { communities: vec![0], otherwise: Edition { rules: vec![], ..Edition::built_in() } };
    assert_eq!(policy.judge(&place, 1, 1, now), Admission::NotAdmitted);
}
