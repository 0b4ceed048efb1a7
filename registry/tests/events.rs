//! Events from checkpoints: whatever happens on the way, each is stored exactly once, and none is rewritten.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod common;

use common::{Folder, Response, Server};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use tongguan_pass::event::chain;
use tongguan_pass::{Batch, ClockSource, Event, GateOutcome, OutcomeCode, Receipt, Sha256Hash, SigningKey};

/// A checkpoint with a journal.
struct Gate {
    key: SigningKey,
    records: Vec<Vec<u8>>,
}

impl Gate {
    fn new(key: u8, events: u8) -> Self {
        let records = (1..=events).map(|n| event(n).encode()).collect();
        Self { key: SigningKey::from_bytes(&[key; 32]), records }
    }

    fn name(&self) -> String {
        HEXLOWER.encode(self.key.verifying_key().as_bytes())
    }

    /// The signed batch of records `from` to `to`, counted from 1.
    fn batch(&self, from: usize, to: usize) -> Vec<u8> {
        let previous =
            (1u64..).zip(&self.records[..from - 1]).fold(Sha256Hash([0; 32]), |h, (seq, r)| chain(&h, seq, r));
        let device = self.key.verifying_key();
        let records = self.records[from - 1..to].to_vec();
        Batch { device, first_seq: u64::try_from(from).unwrap(), previous, records }.sign(&self.key)
    }
}

fn event(n: u8) -> Event {
    Event {
        id: [n; 16],
        earliest_ms: 1_790_000_000_123,
        latest_ms: u64::MAX,
        clock: ClockSource::Floor,
        lane: "东门 1".into(),
        kind: if n.is_multiple_of(2) { 0x13 } else { 0 },
        handle: if n.is_multiple_of(2) { 77 } else { 0 },
        outcome: OutcomeCode::Deny,
        reason: "revoked".into(),
        gate: GateOutcome::Closed,
        latency_us: [1, 2, 3, 4],
    }
}

fn send(server: &Server, batch: &[u8]) -> Response {
    server.post("/v1/events", &[("Content-Type", "application/octet-stream")], batch)
}

/// What the registry says became of a batch, beside its receipt.
fn taken(response: &Response) -> Value {
    let mut answer = response.json();
    assert!(answer.as_object_mut().unwrap().remove("receipt").unwrap().is_string());
    answer
}

fn receipt(stored: usize, duplicate: usize, next_seq: u64) -> Value {
    json!({ "stored": stored, "duplicate": duplicate, "next_seq": next_seq })
}

fn listed(folder: &Folder, more: &str) -> Vec<Value> {
    let ran = folder.run(&format!("events{more}"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn a_batch_sent_twice_is_stored_once_and_listed_as_it_was_signed() {
    let folder = Folder::initialised();
    let server = folder.serve();
    let gate = Gate::new(1, 3);
    assert_eq!(taken(&send(&server, &gate.batch(1, 2))), receipt(2, 0, 3));
    assert_eq!(taken(&send(&server, &gate.batch(1, 2))), receipt(0, 2, 3));
    assert_eq!(taken(&send(&server, &gate.batch(2, 3))), receipt(1, 1, 4));
    let events = listed(&folder, "");
    assert_eq!(events.iter().map(|e| e["seq"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
    let second = &events[1];
    let mut expected = json!({
        "number": 2, "device": gate.name(), "device_status": "pending", "seq": 2, "after_gap": false,
        "id": "02".repeat(16), "at": "2026-09-21T14:13:20.123Z", "lane": "东门 1",
        "kind": "printed", "handle": 77, "verdict": "deny", "reason": "revoked", "gate": "closed",
        "latency_us": { "capture": 1, "decode": 2, "decide": 3, "relay": 4 },
        "clock": { "source": "floor", "earliest": "2026-09-21T14:13:20.123Z", "latest": null },
    });
    expected["received_at"] = second["received_at"].clone();
    assert_eq!(*second, expected);
    assert_eq!((&events[0]["kind"], &events[0]["handle"]), (&Value::Null, &Value::Null));
    assert_eq!(listed(&folder, " --since 2").len(), 1);
    assert_eq!(listed(&folder, &format!(" --device {}", gate.name())).len(), 3);
    assert_eq!(listed(&folder, &format!(" --device {}", "0".repeat(64))).len(), 0);
}

#[test]
fn a_forged_or_malformed_batch_is_refused_and_nothing_of_it_is_stored() {
    let folder = Folder::initialised();
    let server = folder.serve();
    let gate = Gate::new(1, 3);
    let good = gate.batch(1, 3);
    let mut forged = good.clone();
    let middle = forged.len() - 100;
    forged[middle] ^= 1;
    assert_eq!(send(&server, &forged).error(401), "signature");
    let other = SigningKey::from_bytes(&[9; 32]);
    let stolen = Batch {
        device: gate.key.verifying_key(),
        first_seq: 1,
        previous: Sha256Hash([0; 32]),
        records: gate.records.clone(),
    };
    assert_eq!(send(&server, &stolen.sign(&other)).error(401), "signature");
    assert_eq!(send(&server, &good[..good.len() - 1]).error(400), "length");
    assert_eq!(send(&server, &[&good[..], b"x"].concat()).error(400), "length");
    assert_eq!(send(&server, b"").error(400), "magic");
    assert_eq!(send(&server, b"<html>").error(400), "magic");
    assert_eq!(send(&server, &vec![0; 300_000]).error(413), "too_large");
    let mut unchained = stolen;
    unchained.previous = Sha256Hash([1; 32]);
    assert_eq!(send(&server, &unchained.sign(&gate.key)).error(400), "chain");
    assert_eq!(listed(&folder, "").len(), 0);
}

#[test]
fn a_checkpoint_cannot_rewrite_its_past_and_the_attempt_is_audited() {
    let folder = Folder::initialised();
    let server = folder.serve();
    let gate = Gate::new(1, 5);
    send(&server, &gate.batch(1, 3)).json();
    let mut other = Gate::new(1, 5);
    other.records[1] = event(99).encode();
    assert_eq!(send(&server, &other.batch(1, 5)).error(409), "chain_conflict");
    assert_eq!(send(&server, &other.batch(4, 5)).error(409), "chain_conflict");
    assert_eq!(listed(&folder, "").len(), 3);
    assert_eq!(taken(&send(&server, &gate.batch(4, 5))), receipt(2, 0, 6));
    drop(server);
    let database = rusqlite::Connection::open(folder.data().join("registry.db")).unwrap();
    let actor: Vec<String> = database
        .prepare("SELECT actor FROM audit WHERE act = 'chain_conflict'")
        .unwrap()
        .query_map([], |r| r.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(actor, vec![format!("device:{}", gate.name()); 2]);
}

#[test]
fn events_after_missing_ones_are_kept_and_marked_until_the_missing_ones_come() {
    let folder = Folder::initialised();
    let server = folder.serve();
    let gate = Gate::new(1, 6);
    assert_eq!(taken(&send(&server, &gate.batch(1, 1))), receipt(1, 0, 2));
    assert_eq!(taken(&send(&server, &gate.batch(4, 6))), receipt(3, 0, 7));
    let gaps = |folder: &Folder| -> Vec<u64> {
        listed(folder, "").iter().filter(|e| e["after_gap"] == true).map(|e| e["seq"].as_u64().unwrap()).collect()
    };
    assert_eq!(gaps(&folder), [4]);
    let mut liar = Gate::new(1, 6);
    liar.records[2] = event(99).encode();
    assert_eq!(send(&server, &liar.batch(2, 3)).error(409), "chain_conflict");
    assert_eq!(taken(&send(&server, &gate.batch(2, 3))), receipt(2, 0, 7));
    assert_eq!(gaps(&folder), [0; 0]);
}

#[test]
fn an_event_of_a_later_type_is_kept_as_it_is() {
    let folder = Folder::initialised();
    let server = folder.serve();
    let mut gate = Gate::new(1, 1);
    gate.records[0] = vec![200, 1, 2, 3];
    assert_eq!(taken(&send(&server, &gate.batch(1, 1))), receipt(1, 0, 2));
    let events = listed(&folder, "");
    assert_eq!((&events[0]["id"], &events[0]["verdict"]), (&Value::Null, &Value::Null));
}

#[test]
fn strangers_cannot_fill_the_registry_with_devices() {
    let folder = Folder::initialised();
    let database = rusqlite::Connection::open(folder.data().join("registry.db")).unwrap();
    let waiting = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
         INSERT INTO devices (key, status, first_seen, last_seen) SELECT randomblob(32), 'pending', 0, 0 FROM n";
    database.execute(waiting, []).unwrap();
    let server = folder.serve();
    let last = Gate::new(1, 2);
    assert_eq!(taken(&send(&server, &last.batch(1, 1))), receipt(1, 0, 2));
    assert_eq!(send(&server, &Gate::new(2, 1).batch(1, 1)).error(503), "too_many_pending_devices");
    // One that is known may go on.
    assert_eq!(taken(&send(&server, &last.batch(2, 2))), receipt(1, 0, 3));
}

#[test]
fn a_stranger_cannot_fill_the_registrys_disk_and_goes_on_when_it_is_enrolled() {
    let folder = Folder::initialised();
    let server = folder.serve();
    let gate = Gate::new(1, 4);
    assert_eq!(taken(&send(&server, &gate.batch(1, 1))), receipt(1, 0, 2));
    let database = rusqlite::Connection::open(folder.data().join("registry.db")).unwrap();
    // Far above, so that the gate's own records are what they were.
    let nearly_full = "WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 1000 + 99997)
         INSERT INTO events (device, seq, chain, record, received_at, after_gap)
         SELECT 1, i, zeroblob(32), x'09', 0, i = 1000 FROM n";
    assert_eq!(database.execute(nearly_full, []).unwrap(), 99_998);
    assert_eq!(send(&server, &gate.batch(2, 3)).error(503), "device_not_enrolled");
    assert_eq!(send(&server, &gate.batch(2, 2)).json()["stored"], 1);
    let refused = send(&server, &gate.batch(2, 3));
    assert!(refused.json()["message"].as_str().unwrap().contains("enrol it first"), "{refused:?}");
    assert_eq!(refused.error(503), "device_not_enrolled");
    assert_eq!(send(&server, &gate.batch(1, 2)).json()["duplicate"], 2, "what is stored takes no room");
    assert_eq!(send(&server, &Gate::new(2, 1).batch(1, 1)).json()["stored"], 1, "others have room of their own");
    // Nor by contradicting itself over and over.
    let mut liar = Gate::new(1, 1);
    liar.records[0] = event(99).encode();
    let audited = || -> u32 {
        let count = "SELECT count(*) FROM audit WHERE act = 'chain_conflict'";
        database.query_row(count, [], |r| r.get(0)).unwrap()
    };
    for _ in 0..110 {
        assert_eq!(send(&server, &liar.batch(1, 1)).error(409), "chain_conflict");
    }
    assert_eq!(audited(), 100);
    let devices = || {
        let said = folder.run("device list");
        let lines: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines.iter().map(|d| (d["device"].as_str().unwrap().to_owned(), d["status"].clone())).collect::<Vec<_>>()
    };
    let (key, status) = devices()[0].clone();
    assert_eq!(status, "pending");
    assert_eq!(folder.run(&format!("device enrol {key}")).json()["status"], "enrolled");
    assert_eq!(send(&server, &gate.batch(2, 4)).json()["stored"], 2);
    assert_eq!(folder.run(&format!("device retire {key}")).json()["status"], "retired");
    assert_eq!(devices()[0].1, "retired");
    assert_eq!(send(&server, &gate.batch(1, 4)).json()["duplicate"], 4, "what it handed in stays");
    folder.run(&format!("device enrol {key}")).json();
    assert_eq!(send(&server, &liar.batch(1, 1)).error(409), "chain_conflict");
    assert_eq!(audited(), 101);
}

#[test]
fn a_receipt_covers_what_is_stored_without_a_gap_and_names_its_last_chain_value() {
    let folder = Folder::initialised();
    let server = folder.serve();
    let keyset = {
        let head = tongguan_pass::Head::peek_unverified(&server.get("/v1/head").body).unwrap();
        common::keyset(&folder.root(), &server.get(&format!("/v1/files/{}", head.keyset.hash)).body)
    };
    let gate = Gate::new(1, 8);
    let values: Vec<Sha256Hash> = (1u64..)
        .zip(&gate.records)
        .scan(Sha256Hash([0; 32]), |h, (seq, r)| {
            *h = chain(h, seq, r);
            Some(*h)
        })
        .collect();
    let covers = |from: usize, to: usize| {
        let answer = send(&server, &gate.batch(from, to)).json();
        let bytes = data_encoding::BASE64.decode(answer["receipt"].as_str().unwrap().as_bytes()).unwrap();
        let receipt = Receipt::open(&bytes, &keyset, &gate.key.verifying_key()).unwrap();
        assert_eq!(receipt.chain, values[usize::try_from(receipt.next_seq).unwrap() - 2]);
        assert_eq!(
            Receipt::open(&bytes, &keyset, &SigningKey::from_bytes(&[2; 32]).verifying_key()).unwrap_err().name(),
            "device"
        );
        (receipt.first_seq, receipt.next_seq)
    };
    assert_eq!(covers(1, 1), (1, 2));
    assert_eq!(covers(3, 3), (3, 4));
    assert_eq!(covers(6, 7), (6, 8));
    // Of an old batch again: what is stored around it, not the newest.
    assert_eq!(covers(1, 1), (1, 2));
    // One that fills several gaps at once.
    assert_eq!(covers(2, 5), (1, 8));
    assert_eq!(covers(7, 8), (1, 9));
}

/// Exit code, and what was found as (fault, from, to).
fn verified(folder: &Folder) -> (i32, Vec<(String, u64, u64)>) {
    let ran = folder.run("events verify");
    let lines: Vec<Value> = ran.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let found = lines.iter().filter_map(|l| l["findings"].as_array()).flatten();
    let found = found.map(|f| {
        assert!(f["advice"].as_str().unwrap().len() > 20, "{f}");
        (f["fault"].as_str().unwrap().to_owned(), f["from"].as_u64().unwrap(), f["to"].as_u64().unwrap())
    });
    let found: Vec<_> = found.collect();
    let last = lines.last().unwrap();
    assert_eq!(last["sound"], ran.code == 0, "{last}");
    (ran.code, found)
}

fn found(all: &[(&str, u64, u64)]) -> Vec<(String, u64, u64)> {
    all.iter().map(|(fault, from, to)| ((*fault).to_owned(), *from, *to)).collect()
}

/// A registry with events 1 to 6 of a gate in batches of two, changed by `sql`.
fn tampered(sql: &str) -> Folder {
    let folder = Folder::initialised();
    let server = folder.serve();
    let gate = Gate::new(1, 6);
    for first in [1, 3, 5] {
        taken(&send(&server, &gate.batch(first, first + 1)));
    }
    drop(server);
    assert_eq!(verified(&folder), (0, vec![]));
    let database = rusqlite::Connection::open(folder.data().join("registry.db")).unwrap();
    database.execute_batch(sql).unwrap();
    folder
}

#[test]
fn an_event_edited_removed_or_put_in_behind_the_registrys_back_is_found() {
    let edited = tampered("UPDATE events SET record = (SELECT record FROM events WHERE seq = 1) WHERE seq = 3");
    assert_eq!(verified(&edited), (1, found(&[("edited", 3, 3), ("not_signed", 3, 4)])));
    let chain_edited = tampered("UPDATE events SET chain = zeroblob(32) WHERE seq = 4");
    assert_eq!(verified(&chain_edited), (1, found(&[("edited", 4, 5)])));
    let removed = tampered("DELETE FROM events WHERE seq = 3");
    assert_eq!(verified(&removed), (1, found(&[("removed", 3, 3), ("not_signed", 4, 4)])));
    let last_removed = tampered("DELETE FROM events WHERE seq = 6");
    assert_eq!(verified(&last_removed), (1, found(&[("removed", 6, 6), ("not_signed", 5, 5)])));
    let first_removed = tampered("DELETE FROM events WHERE seq <= 2");
    assert_eq!(verified(&first_removed), (1, found(&[("removed", 1, 2)])));
    let renumbered = tampered("UPDATE events SET seq = seq + 1 WHERE seq = 6");
    assert_eq!(verified(&renumbered), (1, found(&[("removed", 6, 6), ("not_signed", 5, 5), ("not_signed", 7, 7)])));
    let put_in = tampered(
        "INSERT INTO events (device, seq, chain, record, received_at, after_gap)
         SELECT device, 7, randomblob(32), record, received_at, 0 FROM events WHERE seq = 1",
    );
    assert_eq!(verified(&put_in), (1, found(&[("edited", 7, 7), ("not_signed", 7, 7)])));
    let marked = tampered("UPDATE events SET after_gap = 1 WHERE seq = 4");
    assert_eq!(verified(&marked), (1, found(&[("edited", 4, 4)])));
}

#[test]
fn an_event_put_in_with_a_chain_computed_for_it_is_found_by_the_missing_signature() {
    let folder = tampered("");
    let database = rusqlite::Connection::open(folder.data().join("registry.db")).unwrap();
    let last: [u8; 32] = database.query_row("SELECT chain FROM events WHERE seq = 6", [], |r| r.get(0)).unwrap();
    let record = event(99).encode();
    let put_in = "INSERT INTO events (device, seq, chain, record, received_at, after_gap) VALUES (1, 7, ?1, ?2, 0, 0)";
    database.execute(put_in, rusqlite::params![chain(&Sha256Hash(last), 7, &record).0, record]).unwrap();
    assert_eq!(verified(&folder), (1, found(&[("not_signed", 7, 7)])));
}

#[test]
fn a_gap_is_named_with_its_numbers_until_it_is_filled() {
    let folder = Folder::initialised();
    let server = folder.serve();
    let (gate, other) = (Gate::new(1, 6), Gate::new(2, 2));
    taken(&send(&server, &gate.batch(1, 1)));
    taken(&send(&server, &gate.batch(4, 6)));
    taken(&send(&server, &other.batch(1, 2)));
    assert_eq!(verified(&folder), (1, found(&[("missing", 2, 3)])));
    let one = folder.run(&format!("events verify --device {}", other.name()));
    assert_eq!(one.code, 0, "{}", one.err);
    assert_eq!(folder.run(&format!("events verify --device {}", "0".repeat(64))).code, 1);
    taken(&send(&server, &gate.batch(2, 3)));
    assert_eq!(verified(&folder), (0, vec![]));
}
