//! What the crate says about a vector, in the vector's own words.

use tongguan_pass::head::DeltaRef;
use tongguan_pass::policy::{Edition, Rule, Surge, Who};
use tongguan_pass::{
    Admission, Batch, Body, Document, DocumentKind, Event as PassEvent, FileRef, Freshness, Head, Interval, Keyset,
    ListError, Note, Passage as PassPassage, Place, Policy, Purpose, Receipt, RegistryKey, Revocation, RevocationList,
    RevocationSet, Root, Roster, RosterIndex, Ruling as PassRuling, Sha256Hash, SigningKey, TimeReply, Unverified,
    VerifyingKey,
};
use tongguan_pass::{CodeError, KeyId};

use super::lists::bytes;
use super::make::hex;
use super::schema::{
    Check, CodeExpect, CodeVector, Delta, DocumentExpect, DocumentVector, Event, Fields, Find, Indexed, Key,
    ListExpect, ListVector, Lists, Now, Passage, PolicyExpect, PolicyVector, Record, Ref, Revoked, RootKey, Ruling,
    ShownEdition, ShownResident, ShownRule, ShownSurge, TypedRef,
};

pub(crate) fn code(vector: &CodeVector) -> CodeExpect {
    let keys = Keyset::new(1, 0, vector.keys.iter().map(registry_key).collect()).expect("the vector's keys are good");
    match Unverified::parse(&vector.text).and_then(|code| code.verify(&keys)) {
        Ok(code) => {
            let policy =
                vector.policy.as_ref().map(|file| Policy::decode(&bytes(file)).expect("the vector's policy is good"));
            let freshness = code.freshness_in(interval(vector.now), policy.unwrap_or_default().surges());
            CodeExpect::Verified {
                kind: code.body().kind().name().into(),
                fields: fields(code.body()),
                freshness: freshness.name().into(),
                seconds: seconds(freshness),
            }
        }
        Err(error) => {
            let (mut field, mut key, mut kind) = (None, None, None);
            match error {
                CodeError::Field(name) => field = Some(name.into()),
                CodeError::UnknownKey(id) | CodeError::WrongPurpose(id) => key = Some(id.0),
                CodeError::UnknownKind(byte) => kind = Some(byte),
                _ => {}
            }
            CodeExpect::Refused { error: error.name().into(), field, key, kind }
        }
    }
}

fn interval(now: Now) -> Interval {
    Interval { earliest: now.earliest, latest: now.latest.unwrap_or(i64::MAX) }
}

pub(crate) fn policy(vector: &PolicyVector) -> PolicyExpect {
    let policy = match Policy::decode(&bytes(&vector.file)) {
        Ok(policy) => policy,
        Err(error) => {
            let field = if let ListError::Field(name) = error { Some(name.into()) } else { None };
            return PolicyExpect::Refused { error: error.name().into(), field };
        }
    };
    let Some(ask) = &vector.ask else { return show_policy(&policy) };
    let place = Place { communities: ask.communities.clone(), otherwise: Edition::built_in() };
    let now = interval(ask.now);
    let admission = policy.judge(&place, ask.category, ask.community, now);
    let opens = if let Admission::OutsideHours { opens } = admission { Some(opens) } else { None };
    let limits = policy.list_limits(&place, now);
    let lists = Lists { confirm_after: limits.confirm_after, deny_after: limits.deny_after };
    PolicyExpect::Answer { admission: admission.name().into(), opens, lists }
}

fn show_policy(policy: &Policy) -> PolicyExpect {
    let surge = |s: &Surge| ShownSurge { from: s.from, until: s.until, minutes: s.minutes };
    let rule = |r: &Rule| ShownRule {
        first: r.first,
        last: r.last,
        who: if r.who == Who::Own { "own" } else { "any" }.into(),
        days: r.days,
        from: r.from,
        until: r.until,
        answer: r.answer.name().into(),
    };
    let edition = |e: &Edition| ShownEdition {
        community: e.community,
        effective_from: e.effective_from,
        lists_confirm_after: e.lists.confirm_after,
        lists_deny_after: e.lists.deny_after,
        rules: e.rules.iter().map(rule).collect(),
    };
    PolicyExpect::Policy {
        utc_offset: policy.utc_offset(),
        surges: policy.surges().iter().map(surge).collect(),
        editions: policy.editions().iter().map(edition).collect(),
    }
}

fn registry_key(key: &Key) -> RegistryKey {
    let purpose = Purpose::ALL.into_iter().find(|p| p.name() == key.purpose).expect("a purpose");
    let public: [u8; 32] = bytes(&key.public_key).try_into().expect("32 bytes");
    RegistryKey {
        id: KeyId(key.id),
        purpose,
        not_before: key.not_before,
        not_after: key.not_after,
        key: VerifyingKey::from_bytes(&public).expect("a point"),
    }
}

fn seconds(freshness: Freshness) -> Option<i64> {
    match freshness {
        Freshness::Expired { ago } => Some(ago),
        Freshness::NotYetValid { ahead } | Freshness::PhoneClock { ahead } => Some(ahead),
        Freshness::Fresh | Freshness::Uncertain => None,
    }
}

fn fields(body: &Body) -> Fields {
    match *body {
        Body::Live(c) => Fields::Live {
            key: c.key.0,
            handle: c.handle,
            issued_at: c.issued_at,
            ttl_minutes: c.ttl_minutes,
            category: c.category,
            community: c.community,
            specimen: c.flags.specimen,
        },
        Body::Carried(c) => Fields::Carried {
            key: c.certificate.key.0,
            handle: c.certificate.handle,
            valid_from: c.certificate.valid_from,
            hours: c.certificate.hours,
            category: c.certificate.category,
            community: c.certificate.community,
            specimen: c.certificate.flags.specimen,
            holder: hex(c.certificate.holder.as_bytes()),
            made_at: c.made_at,
        },
        Body::Printed(c) => Fields::Printed {
            key: c.key.0,
            handle: c.handle,
            valid_from: c.valid_from,
            valid_to: c.valid_to,
            category: c.category,
            community: c.community,
            building: c.building,
            entries: c.entries,
            specimen: c.flags.specimen,
        },
    }
}

pub(crate) fn list(vector: &ListVector) -> ListExpect {
    judge(vector).unwrap_or_else(|error| {
        let field = if let ListError::Field(name) = error { Some(name.into()) } else { None };
        ListExpect::Refused { error: error.name().into(), field }
    })
}

fn judge(vector: &ListVector) -> Result<ListExpect, ListError> {
    let given = &vector.given;
    let file = bytes(&vector.file);
    let hex_of = |text: &Option<String>| bytes(text.as_deref().expect("the check needs it"));
    let root = || Root::open_pinned(&hex_of(&given.root)).expect("the vector's root is good");
    let keyset = || Keyset::open(&hex_of(&given.keyset), &root()).expect("the vector's keyset is good");
    match vector.check {
        Check::Root => Root::open_pinned(&file).map(|root| show_root(&root)),
        Check::RootSuccessor => {
            let known_file = hex_of(&given.known);
            let known = Root::open_pinned(&known_file).expect("the vector's root is good");
            known.open_successor(&known_file, &file).map(|root| show_root(&root))
        }
        Check::Keyset => Keyset::open(&file, &root()).map(|keyset| show_keyset(&keyset)),
        Check::Head => Head::open(&file, &keyset()).map(|head| show_head(&head)),
        Check::HeadFollows => {
            let known_file = hex_of(&given.known);
            let known = Head::peek_unverified(&known_file)?;
            let head = Head::open(&file, &keyset())?;
            let follows = head.follows(&known) || head.follows_a_thiefs(&known, &known_file, &keyset());
            Ok(ListExpect::Follows { follows })
        }
        Check::Named => {
            let named = given.named.as_ref().expect("the check needs it");
            file_ref(named).check(&file).map(|()| ListExpect::Named { matches: true })
        }
        Check::Revocations => RevocationList::decode(&file).map(|list| ListExpect::List {
            epoch: list.epoch,
            from: list.from,
            to: list.to,
            entries: entries(&list.entries),
        }),
        Check::Apply => apply(vector, &Head::open(&file, &keyset())?),
        Check::Events => {
            let batch = Batch::open(&file)?;
            if let Some(stored) = &given.stored {
                continues(&batch, stored.seq, &stored.chain)?;
            }
            show_batch(&batch)
        }
        Check::Receipt => {
            let device: [u8; 32] = hex_of(&given.device).try_into().expect("32 bytes");
            let device = VerifyingKey::from_bytes(&device).expect("a point");
            Receipt::open(&file, &keyset(), &device).map(|r| ListExpect::Receipt {
                device: hex(r.device.as_bytes()),
                first_seq: r.first_seq,
                next_seq: r.next_seq,
                chain: r.chain.to_string(),
            })
        }
        Check::Note => {
            let private: [u8; 32] = hex_of(&given.private_key).try_into().expect("32 bytes");
            let note = Note::decode(&file)?.expect("the vector is a note");
            let text = note.open(&SigningKey::from_bytes(&private))?;
            let text = String::from_utf8(text).expect("the vector's text is UTF-8");
            Ok(ListExpect::Note { about: hex(&note.about), key: note.key.0, text })
        }
        Check::Time => {
            let nonce: [u8; 16] = hex_of(&given.nonce).try_into().expect("16 bytes");
            TimeReply::open(&file, &keyset(), &nonce).map(|reply| ListExpect::Time { at_ms: reply.at_ms })
        }
        Check::RosterIndex => RosterIndex::decode(&file).map(|index| {
            let of = |(community, file): &(u32, FileRef)| Indexed {
                community: *community,
                version: file.version,
                size: file.size,
                sha256: file.hash.to_string(),
            };
            ListExpect::Index { communities: index.0.iter().map(of).collect() }
        }),
        Check::Roster => {
            let roster = Roster::decode(&file)?;
            assert_eq!(roster.encode(), file, "one encoding for one roster");
            // The rest of a file is entries of 84 bytes and boxes of 80.
            let gates = (file.len() - 30 - roster.len() * 84) / 80;
            Ok(ListExpect::Roster {
                community: roster.community,
                salt: hex(&roster.salt),
                gates: u16::try_from(gates).expect("few"),
                entries: u32::try_from(roster.len()).expect("few"),
            })
        }
        Check::Resident => {
            let private: [u8; 32] = hex_of(&given.private_key).try_into().expect("32 bytes");
            find(&Roster::decode(&file)?, &SigningKey::from_bytes(&private), given.find.as_ref().expect("whom"))
        }
    }
}

/// SY 13.2 to 13.4.
fn find(roster: &Roster, gate: &SigningKey, whom: &Find) -> Result<ListExpect, ListError> {
    let Some(key) = roster.unlock(gate) else { return Ok(ListExpect::Resident { slot: None, resident: None }) };
    let slot = match (whom.handle, whom.kind, &whom.number) {
        (Some(handle), ..) => key.slot_of_handle(&roster.salt, handle),
        (None, Some(kind), Some(number)) => {
            let kind = DocumentKind::ALL.into_iter().find(|known| *known as u8 == kind).expect("a kind");
            key.slot_of_document(&roster.salt, &Document::parse(kind, number).expect("a number"))
        }
        _ => panic!("the vector says whom"),
    };
    let resident = roster.find(&slot).map(|r| ShownResident {
        handle: r.handle,
        category: r.category,
        name: r.name,
        home: r.home,
    });
    Ok(ListExpect::Resident { slot: Some(hex(&slot.to_bytes())), resident })
}

pub(crate) fn document(vector: &DocumentVector) -> DocumentExpect {
    let kind = DocumentKind::from_name(&vector.kind).expect("a kind");
    match Document::parse(kind, &vector.text) {
        Ok(document) => DocumentExpect::Number { number: document.number().into() },
        Err(error) => DocumentExpect::Refused { error: error.name().into() },
    }
}

/// What a checkpoint does with a head it believes (SY 5.5 to 5.7).
fn apply(vector: &ListVector, head: &Head) -> Result<ListExpect, ListError> {
    let revocations = &head.revocations;
    let mut fetched = vector.given.fetched.iter().flatten().map(|f| bytes(f));
    let mut next = |file: &FileRef| {
        let bytes = fetched.next().expect("the vector has the file");
        file.check(&bytes)?;
        let list = RevocationList::decode(&bytes)?;
        if list.epoch == head.epoch { Ok(list) } else { Err(ListError::Epoch) }
    };
    let held = vector.given.set.as_ref().filter(|s| s.epoch == head.epoch);
    let held = held.filter(|s| revocations.path_from(s.version).is_some());
    let (mut version, set) = if let Some(held) = held {
        let entries = held.entries.iter().map(|(handle, reason, expiry_day)| Revocation {
            handle: *handle,
            reason: *reason,
            expiry_day: *expiry_day,
        });
        (held.version, RevocationSet::new(entries.collect())?)
    } else {
        let list = next(&revocations.snapshot)?;
        if list.from.is_some() || list.to != revocations.snapshot.version {
            return Err(ListError::Gap { from: list.from.unwrap_or(0), at: 0 });
        }
        (list.to, RevocationSet::new(list.entries)?)
    };
    let mut set = set.after(&[], revocations.oldest_day)?;
    for DeltaRef { from, file } in revocations.path_from(version).expect("a parsed head has a way") {
        let list = next(file)?;
        if list.from != Some(*from) || list.to != file.version {
            return Err(ListError::Gap { from: list.from.unwrap_or(0), at: version });
        }
        set = set.after(&list.entries, revocations.oldest_day)?;
        version = list.to;
    }
    assert_eq!(fetched.next(), None, "no file is fetched that is not needed");
    let same_count = u32::try_from(set.entries().len()) == Ok(revocations.count);
    if !same_count || set.checksum() != revocations.checksum {
        return Err(ListError::Checksum);
    }
    let checksum = set.checksum().to_string();
    Ok(ListExpect::Set { version, checksum, entries: entries(set.entries()) })
}

/// What a registry checks before it stores a batch (SY 6.5).
fn continues(batch: &Batch, seq: u64, chain: &str) -> Result<(), ListError> {
    let mut at_seq = (batch.first_seq == seq + 1).then_some(batch.previous);
    at_seq = at_seq.or_else(|| batch.chained().find(|(n, ..)| *n == seq).map(|(.., value)| value));
    let same = at_seq.is_none_or(|value| value.to_string() == chain);
    if same { Ok(()) } else { Err(ListError::Chain) }
}

fn entries(entries: &[Revocation]) -> Vec<super::schema::Entry> {
    entries.iter().map(|e| (e.handle, e.reason, e.expiry_day)).collect()
}

fn show_root(root: &Root) -> ListExpect {
    let show = |(id, key): &(KeyId, VerifyingKey)| RootKey { id: id.0, public_key: hex(key.as_bytes()) };
    ListExpect::Root {
        version: root.version,
        issued_at: root.issued_at,
        previous: root.previous.map(|h| h.to_string()),
        threshold: root.threshold,
        root_keys: root.keys.iter().map(show).collect(),
    }
}

fn show_keyset(keyset: &Keyset) -> ListExpect {
    let show = |k: &RegistryKey| Key {
        id: k.id.0,
        purpose: k.purpose.name().into(),
        not_before: k.not_before,
        not_after: k.not_after,
        public_key: hex(k.key.as_bytes()),
    };
    let keys = keyset.keys().iter().map(show).collect();
    ListExpect::Keyset { version: keyset.version, issued_at: keyset.issued_at, keys }
}

fn show_ref(file: &FileRef) -> Ref {
    Ref { version: file.version, size: file.size, sha256: file.hash.to_string() }
}

fn file_ref(named: &Ref) -> FileRef {
    let hash = bytes(&named.sha256).try_into().expect("32 bytes");
    FileRef { version: named.version, size: named.size, hash: Sha256Hash(hash) }
}

fn show_head(head: &Head) -> ListExpect {
    let r = &head.revocations;
    let delta =
        |d: &DeltaRef| Delta { from: d.from, to: d.file.version, size: d.file.size, sha256: d.file.hash.to_string() };
    let typed = |(kind, file): &(u8, FileRef)| TypedRef {
        kind: *kind,
        version: file.version,
        size: file.size,
        sha256: file.hash.to_string(),
    };
    ListExpect::Head {
        epoch: head.epoch,
        version: head.version,
        issued_at: head.issued_at,
        expires_at: head.expires_at,
        root: show_ref(&head.root),
        keyset: show_ref(&head.keyset),
        revocations: Revoked {
            version: r.version,
            oldest_day: r.oldest_day,
            count: r.count,
            checksum: r.checksum.to_string(),
            snapshot: show_ref(&r.snapshot),
            deltas: r.deltas.iter().map(delta).collect(),
        },
        files: head.files.iter().map(typed).collect(),
    }
}

fn show_batch(batch: &Batch) -> Result<ListExpect, ListError> {
    let mut records = Vec::new();
    for (seq, record, chain) in batch.chained() {
        let event = PassEvent::decode(record)?.as_ref().map(show_event);
        let ruling = PassRuling::decode(record)?.map(|r| Ruling {
            id: hex(&r.id),
            earliest_ms: r.earliest_ms,
            latest_ms: (r.latest_ms != u64::MAX).then_some(r.latest_ms),
            clock: r.clock.name().into(),
            guard: r.guard,
            answer: r.answer.name().into(),
            reason: r.reason,
            gate: r.gate.name().into(),
        });
        let passage = PassPassage::decode(record)?.map(|p| Passage { id: hex(&p.id), of: p.of, passed: p.passed });
        records.push(Record { seq, chain: chain.to_string(), event, passage, ruling });
    }
    let device = hex(batch.device.as_bytes());
    Ok(ListExpect::Batch { device, first_seq: batch.first_seq, previous: batch.previous.to_string(), records })
}

fn show_event(event: &PassEvent) -> Event {
    Event {
        id: hex(&event.id),
        earliest_ms: event.earliest_ms,
        latest_ms: (event.latest_ms != u64::MAX).then_some(event.latest_ms),
        clock: event.clock.name().into(),
        lane: event.lane.clone(),
        kind: event.kind,
        handle: event.handle,
        outcome: event.outcome.name().into(),
        reason: event.reason.clone(),
        gate: event.gate.name().into(),
        latency_us: event.latency_us,
    }
}
