//! The main job, with the real programs: a code is issued, seen, judged, shown, and the gate opens.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::{Checkpoint, Registry, expected, outcomes, start, text};
use tongguan_sim::cases::forged;
use tongguan_sim::{Camera, Medium, Phone, Surface, Walk};

/// The frames of somebody walking up, holding a code in view, and leaving.
fn walk(code: &str, medium: Medium, into: &std::path::Path) {
    let camera = Camera::new(1280, 720, 7);
    let surface = Surface::new(code, medium, 7).unwrap();
    let walk = Walk::new(&surface, 7);
    for i in 0..Walk::FRAMES {
        let (_, scene) = walk.scene(i);
        camera.see(Some(&surface), &scene).save(into.join(format!("{i:04}.png"))).unwrap();
    }
}

#[test]
fn a_resident_walks_up_with_a_live_code_and_the_gate_opens_once_with_no_network_at_all() {
    let mut registry = Registry::new();
    let url = registry.serve();
    let checkpoint = Checkpoint::new(&registry, &url);
    checkpoint.command(&["sync", "--json"]).ok();
    let code = registry.live(&registry.person("周某"));
    registry.stop();

    let frames = tempfile::tempdir().unwrap();
    walk(&code, Medium::Phone, frames.path());
    let picture = frames.path().with_extension("png");
    let camera = format!("replay:{}?fps=0&loop=0", frames.path().display());
    let screen = format!("picture:{}", picture.display());
    let said =
        checkpoint.command(&["run", "--camera", &camera, "--gate", "sim", "--screen", &screen, "--events", "-"]).ok();
    let events = said.json();
    assert_eq!(outcomes(&events), expected(&[("pass", "fresh", "opened")]));
    // One pulse: released at the start, energised, released.
    let relay: Vec<&str> = said.err.lines().filter_map(|l| l.split("relay (simulated) ").nth(1)).collect();
    assert_eq!(relay, ["off", "on", "off", "off"], "{}", said.err);
    for field in ["capture", "decode", "decide", "relay"] {
        assert!(events[0]["latency_us"][field].is_u64(), "{field}: {}", events[0]);
    }
    assert_eq!(events[0]["kind"], "live");
    assert!(events[0]["handle"].as_u64().unwrap() > 0);
    assert!(image::open(&picture).unwrap().width() >= 800, "the screen was drawn");
    std::fs::remove_file(picture).unwrap();
    assert_eq!(checkpoint.journal().len(), 1);
}

#[test]
fn carried_and_printed_codes_open_the_gate_too() {
    let registry = Registry::new();
    let person = registry.person("周某");
    let mut phone = Phone::new([7; 32]);
    let certificate = registry.command(&["certificate", "--person", &person, "--holder-key", &phone.holder_key()]);
    phone.keep(&text(&certificate.ok().one()["certificate"])).unwrap();
    let checkpoint = Checkpoint::synced(&registry);
    let now = u32::try_from(common::now().as_second()).unwrap();
    let events = checkpoint.show_codes(&[&phone.code(now).unwrap(), &registry.printed(&person)]);
    assert_eq!(outcomes(&events), expected(&[("pass", "fresh", "opened"), ("pass", "fresh", "opened")]));
    assert_eq!((text(&events[0]["kind"]), text(&events[1]["kind"])), ("carried".into(), "printed".into()));
    // A fresh sync has raised the clock's floor: the time shown is still the clock's own, and the same wherever it is read.
    for (event, journaled) in events.iter().zip(checkpoint.journal()) {
        let at: jiff::Timestamp = text(&event["at"]).parse().unwrap();
        assert!(at <= common::now() && common::now().duration_since(at).as_secs() < 30, "{event}");
        assert_eq!(event["at"], journaled["at"]);
    }
}

#[test]
fn what_must_not_open_the_gate_does_not() {
    let registry = Registry::new();
    let person = registry.person("周某");
    let long_ago = (common::now() - jiff::SignedDuration::from_mins(30)).to_string();
    let old = registry.command(&["code", "live", "--person", &person, "--at", &long_ago]).ok().one();
    let fresh = registry.live(&person);
    let other_city = Registry::new();
    let checkpoint = Checkpoint::synced(&registry);
    let events = checkpoint.show_codes(&[
        &text(&old["code"]),
        &forged(&fresh),
        &other_city.live(&other_city.person("王某")),
        "wxp://f2f0AbCdEf",
        "https://example.org/",
        &fresh[..100],
    ]);
    assert_eq!(
        outcomes(&events),
        expected(&[
            ("deny", "expired", "closed"),
            ("deny", "forged", "closed"),
            ("deny", "forged", "closed"),
            ("deny", "not_our_code", "closed"),
            ("deny", "not_our_code", "closed"),
            ("deny", "damaged", "closed"),
        ])
    );
    assert!(events.iter().all(|e| e["latency_us"]["relay"] == 0));
}

#[test]
fn a_pass_revoked_while_the_gate_is_offline_is_refused_after_the_next_sync() {
    let mut registry = Registry::new();
    let person = registry.person("周某");
    let code = registry.printed(&person);
    let url = registry.serve();
    let checkpoint = Checkpoint::new(&registry, &url);
    checkpoint.command(&["sync"]).ok();
    registry.stop();

    registry.revoke(&person);
    checkpoint.command(&["sync"]).with_code(2);
    assert_eq!(checkpoint.verdict(&code), ("pass".into(), "fresh".into()), "offline, the gate cannot know");

    let stick = registry.bundle();
    checkpoint.sync_from(&stick.path().display().to_string()).ok();
    assert_eq!(outcomes(&checkpoint.show_codes(&[&code])), expected(&[("deny", "revoked", "closed")]));
    assert_eq!(checkpoint.verdict(&registry.printed(&person)).0, "pass", "the person's next code has a new handle");
}

#[test]
fn a_running_gate_obeys_lists_that_another_program_brings() {
    let registry = Registry::new();
    let person = registry.person("周某");
    let code = registry.printed(&person);
    let checkpoint = Checkpoint::synced(&registry);
    registry.revoke(&person);

    let frames = tempfile::tempdir().unwrap();
    common::picture(&code, &frames.path().join("1.png"));
    let camera = format!("replay:{}?fps=2&loop=1", frames.path().display());
    let data = checkpoint.data();
    // The same code in view all the time is one presentation: so the camera sees nothing until the sync is through.
    let hidden = frames.path().join("1.hidden");
    std::fs::rename(frames.path().join("1.png"), &hidden).unwrap();
    std::fs::write(frames.path().join("0.png"), tongguan::capture::Luma::new(64, 64, vec![9; 4096]).to_png().unwrap())
        .unwrap();
    let gate =
        start(&["run", "--data", &data, "--camera", &camera, "--gate", "sim", "--screen", "none", "--events", "-"]);
    checkpoint.sync_from(&registry.bundle().path().display().to_string()).ok();
    std::thread::sleep(Duration::from_secs(3));
    std::fs::rename(&hidden, frames.path().join("1.png")).unwrap();
    std::thread::sleep(Duration::from_secs(3));
    terminate(&gate);
    let said = common::Said::of(gate.wait_with_output().unwrap()).ok();
    assert_eq!(outcomes(&said.json()), expected(&[("deny", "revoked", "closed")]), "{}", said.err);
}

#[test]
fn a_code_that_was_let_in_is_refused_the_second_time_even_after_a_restart() {
    let registry = Registry::new();
    let code = registry.live(&registry.person("周某"));
    let checkpoint = Checkpoint::synced(&registry);
    assert_eq!(checkpoint.verdict(&format!(" {code}\r\n")), ("pass".into(), "fresh".into()));
    assert_eq!(outcomes(&checkpoint.show_codes(&[&code, &code])), expected(&[("pass", "fresh", "opened")]));
    assert_eq!(checkpoint.verdict(&code), ("deny".into(), "already_used".into()));
    assert_eq!(outcomes(&checkpoint.show_codes(&[&code])), expected(&[("deny", "already_used", "closed")]));
}

#[test]
fn events_are_handed_in_once_even_if_the_answer_was_lost_and_the_registry_was_restarted() {
    let mut registry = Registry::new();
    let checkpoint = Checkpoint::synced(&registry);
    let codes = [registry.live(&registry.person("周某")), registry.live(&registry.person("王某"))];
    checkpoint.show_codes(&[&codes[0], &codes[1], "https://example.org/"]);

    // The same journal twice, as if the first answer had never come back.
    let lost_answer = Checkpoint { dir: tempfile::tempdir().unwrap() };
    copy_folder(checkpoint.data().as_ref(), lost_answer.data().as_ref());
    checkpoint.follow(&registry.serve());
    assert_eq!(checkpoint.sync().ok().one()["events_sent"], 3);
    registry.stop();
    let url = registry.serve();
    checkpoint.follow(&url);
    lost_answer.follow(&url);
    let again = lost_answer.sync().ok().one();
    assert_eq!((again["events_sent"].as_u64(), again["events_waiting"].as_u64()), (Some(3), Some(0)));
    assert_eq!(checkpoint.sync().ok().one()["events_sent"], 0);

    let stored = registry.command(&["events"]).ok().json();
    let ids: Vec<String> = stored.iter().map(|e| text(&e["id"])).collect();
    let journal: Vec<String> = checkpoint.journal().iter().map(|e| text(&e["id"])).collect();
    assert_eq!(ids, journal);
    assert!(checkpoint.journal().iter().all(|e| e["handed_in"] == true));
}

#[test]
fn a_gate_told_to_stop_closes_and_ends_in_order() {
    let registry = Registry::new();
    let checkpoint = Checkpoint::synced(&registry);
    let gate = start(&["run", "--data", &checkpoint.data(), "--camera", "none", "--gate", "sim", "--screen", "none"]);
    std::thread::sleep(Duration::from_secs(2));
    terminate(&gate);
    let said = common::Said::of(gate.wait_with_output().unwrap()).ok();
    assert!(said.err.trim_end().ends_with("relay (simulated) off"), "{}", said.err);
}

#[test]
fn a_reader_of_events_that_stalls_does_not_stop_the_gate() {
    let registry = Registry::new();
    let checkpoint = Checkpoint::synced(&registry);
    let frames = tempfile::tempdir().unwrap();
    // More than a pipe holds.
    let count = 220;
    for i in 0..count {
        common::picture(&format!("https://{i}.example"), &frames.path().join(format!("{i:04}.png")));
    }
    let camera = format!("replay:{}?fps=0&loop=0", frames.path().display());
    let data = checkpoint.data();
    let mut gate =
        start(&["run", "--data", &data, "--camera", &camera, "--gate", "sim", "--screen", "none", "--events", "-"]);
    let ended = (0..600).find_map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        gate.try_wait().unwrap()
    });
    gate.kill().ok();
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}");
    assert!(common::Said::of(gate.wait_with_output().unwrap()).err.contains("nobody reads the printed events"));
    assert_eq!(checkpoint.journal().len(), count);
}

#[test]
fn events_are_listed_from_where_one_asks() {
    let registry = Registry::new();
    let checkpoint = Checkpoint::synced(&registry);
    checkpoint.show_codes(&["https://a.example", "https://b.example", "https://c.example"]);
    let later = checkpoint.command(&["events", "--json", "--since", "2"]).ok().json();
    assert_eq!(later.iter().map(|e| e["seq"].as_u64()).collect::<Vec<_>>(), [Some(3)]);
    assert!(checkpoint.command(&["events"]).ok().out.contains("not_our_code"));
}

fn terminate(child: &std::process::Child) {
    std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn the_registrys_signed_time_is_enough_where_nobody_vouches_for_the_clock() {
    let mut registry = Registry::new();
    let url = registry.serve();
    let checkpoint = Checkpoint::doubting(&registry, &url);

    checkpoint.sync_from(&registry.bundle().path().display().to_string()).ok();
    let before = checkpoint.command(&["doctor", "--clock", "--json"]).one();
    let code = registry.live(&registry.person("周某"));
    if before["clock"]["source"] == "floor" {
        assert_eq!(checkpoint.verdict(&code), ("confirm".into(), "clock_uncertain".into()));
    }
    checkpoint.sync().ok();
    let known = checkpoint.command(&["doctor", "--clock", "--json"]).ok().one();
    assert_eq!(
        (&known["clock"]["source"], &known["clock"]["witnesses"][0]["by"]),
        (&"synced".into(), &"registry".into())
    );
    // The next program on this machine knows it as well.
    assert_eq!(checkpoint.verdict(&code), ("pass".into(), "fresh".into()));
    for language in ["zh", "en"] {
        let said = checkpoint.command(&["doctor", "--clock", "--language", language]).ok();
        assert!(said.out.contains(if language == "zh" { "已校准" } else { "synchronised" }), "{}", said.out);
    }
}
