//! Sessions, proofs of phones, registrations and messages.

use super::*;
use crate::domain::profile::Status;
use crate::domain::proof::{Answer, CODE_LIFE, PROVEN_LIFE, Purpose, Quota, TRIES};
use crate::domain::session::{ANONYMOUS, IDLE};
use crate::store::{Delivery, NewProof};

pub(super) const TESTS: [fn(&dyn Store); 6] = [
    a_session_is_found_by_its_token_while_it_is_good,
    a_code_proves_its_phone_within_its_time_and_its_tries,
    a_quota_counts_nothing_of_what_it_refuses_and_frees_its_places_again,
    of_two_who_register_one_document_or_phone_one_succeeds,
    whoever_is_frozen_changes_nothing_themselves,
    a_message_is_due_until_it_is_sent_or_given_up_and_keeps_no_content_after_that,
];

const PHONE: [u8; 32] = [7; 32];
const CODE: [u8; 32] = [8; 32];

fn token(n: u8) -> crate::domain::person::TokenHash {
    Token::from_random([n; 32]).hash()
}

fn session(store: &dyn Store, n: u8) -> crate::domain::person::TokenHash {
    store.begin_session(&token(n), None, &by(0)).expect("begun");
    token(n)
}

fn ask(store: &dyn Store, n: u8, quotas: &[Quota], seconds: u32) -> Result<(), StoreError> {
    let (session, purpose) = (token(n), Purpose::Register);
    let proof = NewProof { session, purpose, phone: PHONE, code: CODE, message: b"sealed", work: None, quotas };
    store.ask_proof(&proof, &by(seconds))
}

fn answer(store: &dyn Store, n: u8, code: u8, seconds: u32) -> Answer {
    store.answer_proof(&token(n), Purpose::Register, &PHONE, &[code; 32], START + seconds).expect("answered")
}

fn a_session_is_found_by_its_token_while_it_is_good(store: &dyn Store) {
    let (anonymous, a) = (session(store, 1), person(1));
    store.add_person(&a, &by(0)).expect("added");
    store.begin_session(&token(2), Some(&a.id), &by(0)).expect("begun");
    let find = |hash, seconds| store.session(&hash, START + seconds).expect("asked");
    assert_eq!(find(anonymous, 1).expect("there").person, None);
    assert_eq!(find(token(2), 1).expect("there").person, Some(a.id.clone()));
    assert_eq!(find(token(3), 1), None);
    store.keep_draft(&anonymous, b"typed").expect("kept");
    assert_eq!(find(anonymous, ANONYMOUS - 1).expect("there").draft.as_deref(), Some(b"typed".as_slice()));
    assert_eq!(find(anonymous, ANONYMOUS), None);
    store.touch_session(&token(2), START + IDLE - 1).expect("touched");
    store.touch_session(&token(2), START + 5).expect("never back");
    assert!(find(token(2), IDLE).is_some());
    store.begin_session(&token(4), None, &by(ANONYMOUS + 1)).expect("begun");
    assert_eq!(find(anonymous, 1), None, "it is forgotten");
    store.end_session(&token(2)).expect("ended");
    assert_eq!(find(token(2), 1), None);
}

fn a_code_proves_its_phone_within_its_time_and_its_tries(store: &dyn Store) {
    session(store, 1);
    session(store, 2);
    assert_eq!(answer(store, 1, 8, 0), Answer::None);
    ask(store, 1, &[], 0).expect("asked");
    assert_eq!(answer(store, 2, 8, 0), Answer::None, "it is another session's");
    let other = store.answer_proof(&token(1), Purpose::Register, &[6; 32], &CODE, START).expect("answered");
    assert_eq!(other, Answer::None, "it is another phone's");
    let proven = |seconds| store.is_proven(&token(1), &PHONE, START + seconds).expect("asked");
    for _ in 1..TRIES {
        assert_eq!(answer(store, 1, 9, 1), Answer::Wrong);
    }
    assert!(!proven(1));
    assert_eq!(answer(store, 1, 8, CODE_LIFE - 1), Answer::Proven);
    assert!(proven(CODE_LIFE));
    assert!(!proven(CODE_LIFE - 1 + PROVEN_LIFE));
    assert_eq!(answer(store, 1, 9, 2), Answer::Wrong);
    assert_eq!(answer(store, 1, 8, 2), Answer::None, "it was tried too often");
    ask(store, 1, &[], 3).expect("asked anew");
    assert!(!proven(4), "a new code begins anew");
    assert_eq!(answer(store, 1, 8, 3 + CODE_LIFE), Answer::None, "it is too old");
    assert_eq!(answer(store, 1, 8, 4), Answer::Proven);
}

fn a_quota_counts_nothing_of_what_it_refuses_and_frees_its_places_again(store: &dyn Store) {
    session(store, 1);
    let quota = |subject, count, within| Quota { subject: [subject; 32], count, within };
    let both = [quota(1, 2, 100), quota(1, 3, 1000), quota(2, 9, 100)];
    ask(store, 1, &both, 0).expect("the first");
    ask(store, 1, &both, 10).expect("the second");
    let again = |quotas: &[Quota], seconds| match ask(store, 1, quotas, seconds) {
        Err(StoreError::TooOften { again }) => again - START,
        other => panic!("{other:?}"),
    };
    assert_eq!(again(&both, 50), 100);
    ask(store, 1, &[quota(2, 3, 100)], 60).expect("the refused one does not count");
    ask(store, 1, &both, 100).expect("the third");
    assert_eq!(again(&both, 500), 1000);
    assert_eq!(store.due_messages(START + 500, 99).expect("read").len(), 4);
    let work = |n: u8| {
        let (session, work) = (token(1), Some(([n; 32], START + 600)));
        let purpose = Purpose::Register;
        let proof = NewProof { session, purpose, phone: PHONE, code: CODE, message: b"sealed", work, quotas: &[] };
        store.ask_proof(&proof, &by(500))
    };
    work(1).expect("the first time");
    assert!(matches!(work(1), Err(StoreError::WorkSpent)));
    work(2).expect("other work");
}

fn of_two_who_register_one_document_or_phone_one_succeeds(store: &dyn Store) {
    let new = |n: u8, phone: u8, document: u8| NewPerson {
        phone: Some([phone; 32]),
        document: Some(sealed(document)),
        notice: 1,
        ..person(n)
    };
    let prove = |n: u8, phone: u8| {
        session(store, n);
        let proof = NewProof {
            session: token(n),
            purpose: Purpose::Register,
            phone: [phone; 32],
            code: CODE,
            message: b"sealed",
            work: None,
            quotas: &[],
        };
        store.ask_proof(&proof, &by(0)).expect("asked");
        let answer = store.answer_proof(&token(n), Purpose::Register, &[phone; 32], &CODE, START).expect("answered");
        assert_eq!(answer, Answer::Proven);
    };
    prove(1, 1);
    prove(2, 2);
    prove(3, 1);
    let register = |session: u8, who: &NewPerson| store.register(&token(session), who, &by(1));
    assert!(matches!(register(1, &new(1, 9, 1)), Err(StoreError::NotProven)));
    assert!(matches!(register(1, &person(1)), Err(StoreError::NotProven)));
    register(1, &new(1, 1, 1)).expect("the first");
    assert!(matches!(register(1, &new(4, 1, 4)), Err(StoreError::NotProven)), "its session is over");
    assert!(matches!(register(2, &new(2, 2, 1)), Err(StoreError::DocumentTaken)));
    assert!(matches!(register(3, &new(3, 1, 3)), Err(StoreError::PhoneTaken)));
    register(2, &new(2, 2, 2)).expect("with a document of their own");
    let whose = |phone: u8| store.person_by_phone(&[phone; 32]).expect("asked");
    assert_eq!((whose(1), whose(2), whose(3)), (Some(person(1).id), Some(person(2).id), None));
    let kept = store.resident(&person(1).id).expect("there");
    assert_eq!((kept.community, kept.document, kept.revision), (1, Some(sealed(1)), 0));
}

fn whoever_is_frozen_changes_nothing_themselves(store: &dyn Store) {
    let a = person(1);
    store.add_person(&a, &by(0)).expect("added");
    let own = By { at: START, actor: Actor::Person(a.id.clone()) };
    let change = PersonChange { category: Some(3), ..PersonChange::default() };
    store.change_person(&a.id, &change, &own).expect("in order");
    store.set_status(&a.id, Status::Frozen, &by(1)).expect("frozen");
    assert_eq!(store.resident(&a.id).expect("there").status, Status::Frozen);
    assert!(matches!(store.change_person(&a.id, &change, &own), Err(StoreError::Frozen)));
    store.change_person(&a.id, &change, &by(2)).expect("an operator may");
    store.set_status(&a.id, Status::Normal, &by(3)).expect("freed");
    store.change_person(&a.id, &change, &own).expect("in order again");
    assert!(matches!(store.set_status(&person(2).id, Status::Frozen, &by(3)), Err(StoreError::UnknownPerson)));
    assert!(matches!(store.resident(&person(2).id), Err(StoreError::UnknownPerson)));
}

fn a_message_is_due_until_it_is_sent_or_given_up_and_keeps_no_content_after_that(store: &dyn Store) {
    session(store, 1);
    for seconds in [0, 1, 2] {
        ask(store, 1, &[], seconds).expect("asked");
    }
    let due = |seconds| store.due_messages(START + seconds, 99).expect("read");
    let all = due(2);
    assert_eq!(
        all.iter().map(|m| (m.message.as_slice(), m.attempts)).collect::<Vec<_>>(),
        [(b"sealed".as_slice(), 0); 3]
    );
    store.deliver(all[0].number, Delivery::Sent, START + 2).expect("kept");
    store.deliver(all[1].number, Delivery::Again(START + 60), START + 2).expect("kept");
    store.deliver(all[2].number, Delivery::GivenUp, START + 2).expect("kept");
    assert_eq!(due(59), []);
    let again = due(60);
    assert_eq!((again.len(), again[0].number, again[0].attempts), (1, all[1].number, 1));
    store.deliver(all[0].number, Delivery::Again(START), START + 3).expect("it is sent");
    assert_eq!(due(60).len(), 1);
}
