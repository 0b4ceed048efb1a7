//! What the registry's policy lets in, at gates without a network, with the real programs.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;

use common::server::{Fault, Server};
use common::{Checkpoint, Registry, expected, outcomes, text};
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tongguan_pass::{Body, FileRef, Head, KeyId, Live, Sha256Hash, SigningKey, Unverified};

const OWN: &str = "[[policy.rule]]\nwho = \"own\"\nanswer = \"pass\"\n";

/// A policy for a community, with these further lines.
fn edition(community: u32, lines: &str) -> String {
    format!("[[policy]]\ncommunity = {community}\n{lines}")
}

impl Registry {
    fn policy(&self, args: &[&str]) -> common::Said {
        self.command(&[&["policy"], args].concat())
    }

    fn set(&self, editions: &str) -> Value {
        let file = self.dir.path().join("policy.toml");
        fs::write(&file, format!("utc_offset = \"+08:00\"\n{editions}")).unwrap();
        self.policy(&["set", &file.display().to_string()]).ok().one()
    }

    /// A live code as of another time, also one to come, for which the registry itself issues none.
    fn live_at(&self, person: &str, at: Timestamp) -> String {
        let code = Unverified::parse(&self.live(person)).unwrap();
        let Body::Live(live) = *code.claims() else { panic!("a live code was asked for") };
        let pem = fs::read_to_string(format!("{}/keys/live-{}.pem", self.data(), live.key.0)).unwrap();
        let issued_at = u32::try_from(at.as_second()).unwrap();
        Live { issued_at, ..live }.sign(&SigningKey::from_pkcs8_pem(&pem).unwrap())
    }
}

impl Checkpoint {
    /// A gate that serves these communities and has synced once.
    fn of(registry: &Registry, communities: &str) -> Self {
        let checkpoint = Self::synced(registry);
        checkpoint.configure("policy", &format!("communities = {communities}"));
        checkpoint
    }

    fn follow_lists(&self, registry: &Registry) {
        self.sync_from(&registry.bundle().path().display().to_string()).ok();
    }

    /// What it says at another time, with no network.
    fn at(&self, code: &str, at: Timestamp) -> (String, String) {
        let answer = self.command(&["verify", "--json", "--at", &at.to_string(), code]).one();
        (text(&answer["verdict"]), text(&answer["reason"]))
    }
}

fn says(verdict: &str, reason: &str) -> (String, String) {
    (verdict.into(), reason.into())
}

fn hours(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n)
}

/// Midnight in UTC+8 in so many days.
fn midnight(days: i64) -> Timestamp {
    let local_day = (common::now().as_second() + 8 * 3_600).div_euclid(86_400) + days;
    Timestamp::from_second(local_day * 86_400 - 8 * 3_600).unwrap()
}

#[test]
fn residents_of_other_communities_are_let_in_only_where_the_policy_says_so() {
    let registry = Registry::new();
    let code = registry.live(&registry.person("周某"));
    let (home, away, anywhere) =
        (Checkpoint::of(&registry, "[1]"), Checkpoint::of(&registry, "[2]"), Checkpoint::of(&registry, "[]"));
    // Without a policy it is as the gate's own configuration says.
    assert_eq!(home.verdict(&code), says("pass", "fresh"));
    assert_eq!(away.verdict(&code), says("deny", "wrong_place"));
    assert_eq!(anywhere.verdict(&code), says("pass", "fresh"));

    let guest = "[[policy.rule]]\nwho = \"any\"\nanswer = \"confirm\"\n";
    let set = registry.set(&(edition(0, OWN) + &edition(2, &format!("{OWN}{guest}"))));
    assert_eq!((set["policy"].as_u64(), set["changes"].as_array().unwrap().len()), (Some(1), 2));
    for gate in [&home, &away, &anywhere] {
        gate.follow_lists(&registry);
    }
    assert_eq!(home.verdict(&code), says("pass", "fresh"));
    assert_eq!(away.verdict(&code), says("confirm", "guard_check"));
    // A gate of both: whom one of them lets in is let in.
    away.configure("policy", "communities = [2, 1]");
    assert_eq!(away.verdict(&code), says("pass", "fresh"));

    registry.set(&edition(0, ""));
    for gate in [&home, &anywhere] {
        gate.follow_lists(&registry);
        assert_eq!(gate.verdict(&code), says("deny", "not_admitted"));
    }
}

#[test]
fn hours_are_obeyed_to_the_second_and_a_refused_person_hears_when_to_come() {
    let registry = Registry::new();
    let person = registry.person("周某");
    registry.set(&edition(1, "[[policy.rule]]\nwho = \"own\"\nhours = \"06:00-22:00\"\nanswer = \"pass\"\n"));
    let gate = Checkpoint::of(&registry, "[1]");
    let (opens, closes) = (midnight(3) + hours(6), midnight(3) + hours(22));
    let second = SignedDuration::from_secs(1);
    for (at, then) in [
        (opens - second, says("deny", "outside_hours")),
        (opens, says("pass", "fresh")),
        (closes - second, says("pass", "fresh")),
        (closes, says("deny", "outside_hours")),
    ] {
        assert_eq!(gate.at(&registry.live_at(&person, at - second * 60), at), then, "{at}");
    }
    let code = registry.live_at(&person, closes);
    let said = gate.command(&["verify", "--json", "--at", &closes.to_string(), &code]).with_code(1).one();
    assert_eq!(text(&said["opens"]), (opens + hours(24)).to_string());
    assert_eq!(said["guard"]["en"], "May enter from tomorrow 06:00: do not let in now");
    assert_eq!(said["resident"]["zh"], "请在明天06:00以后再来");
}

#[test]
fn where_the_policy_wants_the_guard_to_look_the_gate_stays_closed_and_the_journal_says_why() {
    let registry = Registry::new();
    let code = registry.live(&registry.person("周某"));
    registry.set(&edition(1, &OWN.replace("pass", "confirm")));
    let gate = Checkpoint::of(&registry, "[1]");
    assert_eq!(outcomes(&gate.show_codes(&[&code])), expected(&[("confirm", "guard_check", "closed")]));
    assert_eq!(outcomes(&gate.journal()), expected(&[("confirm", "guard_check", "closed")]));
}

#[test]
fn lists_without_news_ask_the_guard_and_then_refuse_what_they_could_have_revoked() {
    let registry = Registry::new();
    let person = registry.person("周某");
    let printed = registry.printed(&person);
    registry.set(&edition(1, &format!("lists_confirm_after_h = 24\nlists_deny_after_h = 72\n{OWN}")));
    let gate = Checkpoint::of(&registry, "[1]");
    let expired = text(&registry.command(&["publish"]).ok().one()["expires_at"]).parse::<Timestamp>().unwrap();
    for (after, then) in [
        (23, says("pass", "fresh")),
        (25, says("confirm", "list_stale")),
        (71, says("confirm", "list_stale")),
        (73, says("deny", "list_stale")),
    ] {
        assert_eq!(gate.at(&printed, expired + hours(after)), then, "{after} h");
    }
    // A live code is revoked by not renewing it, so it needs no lists.
    let live = registry.live_at(&person, expired + hours(200));
    assert_eq!(gate.at(&live, expired + hours(200)), says("pass", "fresh"));
}

#[test]
fn a_change_takes_effect_at_its_time_without_a_network() {
    let registry = Registry::new();
    let person = registry.person("周某");
    let from = midnight(1) + hours(6);
    let closed = format!("from = {from}\n[[policy.rule]]\ncategories = 5\nwho = \"own\"\nanswer = \"pass\"\n");
    registry.set(&(edition(1, OWN) + &edition(1, &closed)));
    let gate = Checkpoint::of(&registry, "[1]");
    let code = registry.live_at(&person, from - SignedDuration::from_secs(60));
    assert_eq!(gate.at(&code, from - SignedDuration::from_secs(1)), says("pass", "fresh"));
    assert_eq!(gate.at(&code, from), says("deny", "not_admitted"));
    let shown = registry.policy(&["show", "--community", "1", "--at", &from.to_string()]).ok().one();
    assert_eq!(text(&shown["editions"][0]["from"]), from.to_string());
}

#[test]
fn a_surge_is_obeyed_without_a_network_until_it_ends_or_its_end_is_heard_of() {
    let registry = Registry::new();
    let person = registry.person("周某");
    let printed = registry.printed(&person);
    let gate = Checkpoint::of(&registry, "[1]");
    let now = common::now();
    let minutes = SignedDuration::from_mins;
    let old = registry.live_at(&person, now - minutes(30));
    assert_eq!(gate.verdict(&old), says("deny", "expired"));
    let until = Timestamp::from_second((now + hours(2)).as_second()).unwrap();
    registry.policy(&["surge", "--minutes", "60", "--until", &until.to_string()]).ok();
    gate.follow_lists(&registry);

    assert_eq!(outcomes(&gate.show_codes(&[&old])), expected(&[("pass", "fresh", "opened")]));
    let issued = Timestamp::from_second((now - minutes(30)).as_second()).unwrap();
    assert_eq!(gate.at(&old, issued + minutes(60)), says("pass", "fresh"));
    assert_eq!(gate.at(&old, issued + minutes(60) + SignedDuration::from_secs(1)), says("deny", "expired"));
    let late = registry.live_at(&person, until - minutes(30));
    assert_eq!(gate.at(&late, until), says("pass", "fresh"));
    assert_eq!(gate.at(&late, until + SignedDuration::from_secs(1)), says("deny", "expired"), "ends by itself");
    assert_eq!(gate.at(&printed, until), says("pass", "fresh"), "others are as ever");
    let doctor = gate.command(&["doctor", "--language", "en"]);
    assert!(doctor.out.contains("codes are good for 60 minutes until "), "{}", doctor.out);
    let doctor = gate.command(&["doctor", "--json"]).one();
    assert_eq!(
        (doctor["policy"]["version"].as_u64(), doctor["policy"]["surge"]["minutes"].as_u64()),
        (Some(1), Some(60))
    );

    let fresh = registry.live_at(&person, now - minutes(20));
    registry.policy(&["surge", "--end"]).ok();
    assert_eq!(gate.verdict(&fresh), says("pass", "fresh"), "not heard of yet");
    gate.follow_lists(&registry);
    // The new head proves that the surge is over, though this gate knows the time to a minute only.
    assert_eq!(gate.verdict(&fresh), says("deny", "expired"));
    let doctor = gate.command(&["doctor", "--language", "en"]);
    assert!(doctor.out.contains("Policy 2: ") && !doctor.out.contains("60 minutes"), "{}", doctor.out);
}

#[test]
fn a_policy_that_is_damaged_missing_or_endless_is_refused_and_the_old_one_kept() {
    let registry = Registry::new();
    let code = registry.live(&registry.person("周某"));
    registry.set(&edition(1, OWN));
    let gate = Checkpoint::of(&registry, "[1]");
    registry.set(&edition(1, ""));
    let stick = registry.bundle();
    let source = stick.path().display().to_string();
    let head_path = stick.path().join("v1/head");
    let good_head = fs::read(&head_path).unwrap();
    let head = Head::peek_unverified(&good_head).unwrap();
    let named = *head.policy().unwrap();
    let path = format!("v1/files/{}", named.hash);
    let file = stick.path().join(&path);
    let good = fs::read(&file).unwrap();

    let refuses = |source: &str, why: &str| {
        let said = gate.sync_from(source);
        let error = text(&said.one()["error"]);
        assert!(error.contains("the policy") && error.contains(why), "{error:?} does not say {why:?}");
        assert!(said.err.contains("everything is as it was"), "{}", said.err);
        assert_eq!(gate.verdict(&code), says("pass", "fresh"), "the old policy is kept");
    };
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        fs::write(&file, bytes).unwrap();
        refuses(&source, "does not match");
    }
    fs::write(&file, &good[..good.len() - 1]).unwrap();
    refuses(&source, "does not match");
    fs::remove_file(&file).unwrap();
    refuses(&source, "is missing");
    fs::write(&file, &good).unwrap();
    let endless = Server::new(stick.path(), move |asked| if asked == path { Fault::Endless } else { Fault::None });
    refuses(&endless.url, "");
    drop(endless);

    // Even the registry's own key does not make a gate take what is no policy, or more than a policy may be.
    let pem = fs::read_to_string(format!("{}/keys/lists-4.pem", registry.data())).unwrap();
    let key = SigningKey::from_pkcs8_pem(&pem).unwrap();
    for (bytes, why) in [
        (b"TGP1 but no policy".to_vec(), "field out of range: utc_offset"),
        (vec![0; 300_000], "at most 262144 are allowed"),
        (good[..good.len() - 1].to_vec(), "truncated"),
    ] {
        let files = Head::further(Some(FileRef::to(9, &bytes)), None);
        fs::write(stick.path().join(format!("v1/files/{}", Sha256Hash::of(&bytes))), &bytes).unwrap();
        let head = Head { version: head.version + 1, files, ..head.clone() };
        fs::write(&head_path, head.sign(KeyId(4), &key)).unwrap();
        refuses(&source, why);
    }

    fs::write(&head_path, good_head).unwrap();
    gate.sync_from(&source).ok();
    assert_eq!(gate.verdict(&code), says("deny", "not_admitted"));
}

#[test]
fn a_policy_that_was_changed_on_the_card_is_not_believed() {
    let registry = Registry::new();
    let code = registry.live(&registry.person("周某"));
    registry.set(&edition(1, ""));
    let gate = Checkpoint::of(&registry, "[1]");
    assert_eq!(gate.verdict(&code), says("deny", "not_admitted"));
    let db = rusqlite::Connection::open(format!("{}/trust.db", gate.data())).unwrap();
    assert_eq!(db.execute("UPDATE file SET bytes = x'' WHERE name = 'policy'", []).unwrap(), 1);
    drop(db);
    // Without a policy the gate would have let this person in.
    assert!(gate.unanswered(&code).contains("trust.db"));
    gate.sync_from(&registry.bundle().path().display().to_string()).ok();
    assert_eq!(gate.verdict(&code), says("deny", "not_admitted"), "the lists were set aside whole, and fetched anew");
}

#[test]
fn a_running_registry_serves_the_new_policy_and_a_faulty_file_changes_nothing() {
    let mut registry = Registry::new();
    let url = registry.serve();
    let gate = Checkpoint::new(&registry, &url);
    gate.sync().ok();
    let code = registry.live(&registry.person("周某"));
    registry.set(&edition(0, ""));
    gate.sync().ok();
    assert_eq!(gate.verdict(&code), says("deny", "not_admitted"));

    let file = registry.dir.path().join("bad.toml");
    fs::write(
        &file,
        "utc_offset = \"+08:00\"\n[[policy]]\ncommunity = 1\n[[policy.rule]]\nwho = \"own\"\nanswer = \"open\"\n",
    )
    .unwrap();
    for act in ["check", "set"] {
        let said = registry.policy(&[act, &file.display().to_string()]).with_code(1);
        assert!(said.err.contains("line 6") && said.err.contains("confirm"), "{}", said.err);
    }
    assert_eq!(registry.policy(&["show"]).ok().one()["policy"], 1);
}
