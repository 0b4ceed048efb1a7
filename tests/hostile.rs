//! Broken and hostile input: each gets a clear error or a named verdict, and nothing is lost or half-applied.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use common::server::{Fault, Server};
use common::{Checkpoint, Registry, pipe, run, text};

/// A registry whose lists have a snapshot and a delta, a checkpoint that knows the lists before the delta, and a pass
/// that the delta revokes.
struct Before {
    registry: Registry,
    checkpoint: Checkpoint,
    code: String,
    stick: tempfile::TempDir,
}

fn before() -> Before {
    let registry = Registry::new();
    let (person, other) = (registry.person("周某"), registry.person("王某"));
    let code = registry.printed(&person);
    registry.printed(&other);
    registry.revoke(&other);
    let checkpoint = Checkpoint::synced(&registry);
    registry.revoke(&person);
    let stick = registry.bundle();
    Before { registry, checkpoint, code, stick }
}

impl Before {
    /// The sync from `source` fails and says `why`; everything is as it was.
    #[track_caller]
    fn refuses(&self, source: &str, why: &str) {
        let said = self.checkpoint.sync_from(source);
        assert!(matches!(said.code, Some(1 | 2)), "{:?} {}", said.code, said.err);
        let error = text(&said.one()["error"]);
        assert!(error.contains(why), "{error:?} does not say {why:?}");
        assert!(said.err.contains("everything is as it was"), "{}", said.err);
        assert_eq!(self.checkpoint.verdict(&self.code), ("pass".into(), "fresh".into()), "old state kept");
    }

    #[track_caller]
    fn accepts(&self, source: &str) {
        self.checkpoint.sync_from(source).ok();
        assert_eq!(self.checkpoint.verdict(&self.code), ("deny".into(), "revoked".into()));
    }

    fn files(&self) -> Vec<PathBuf> {
        let folder = self.stick.path().join("v1/files");
        fs::read_dir(folder).unwrap().flatten().map(|e| e.path()).collect()
    }
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at % bytes.len();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn every_file_of_the_head_corrupted_in_turn_is_refused_and_the_old_state_kept() {
    let before = before();
    let source = before.stick.path().display().to_string();
    let head = before.stick.path().join("v1/head");
    let whole = fs::read(&head).unwrap();
    for at in (0..whole.len()).step_by(7) {
        flip(&head, at);
        before.refuses(&source, "");
        fs::write(&head, &whole).unwrap();
    }
    // What this checkpoint needs from here is the delta; one that knows nothing needs every file but the root.
    let fresh = || Before {
        registry: Registry::new(),
        checkpoint: Checkpoint::new(&before.registry, ""),
        code: before.code.clone(),
        stick: tempfile::tempdir().unwrap(),
    };
    let mut refused = 0;
    for file in before.files() {
        let whole = fs::read(&file).unwrap();
        flip(&file, whole.len() / 2);
        let said = fresh().checkpoint.sync_from(&source);
        if said.code == Some(1) {
            assert!(text(&said.one()["error"]).contains("does not match the hash or size in the head"), "{}", said.out);
            refused += 1;
        }
        fs::write(&file, whole).unwrap();
    }
    assert!(refused >= 3, "keyset, snapshot and delta at least: {refused}");
    let deltas: Vec<PathBuf> =
        before.files().into_iter().filter(|f| fs::read(f).unwrap().starts_with(b"TGL1\x02")).collect();
    let newest = deltas.iter().max_by_key(|f| fs::read(f).unwrap()[13..17].to_vec()).unwrap();
    flip(newest, 20);
    before.refuses(&source, "a delta: it does not match the hash");
    flip(newest, 20);
    before.accepts(&source);
}

#[test]
fn a_sync_that_breaks_off_anywhere_changes_nothing_and_the_next_one_succeeds() {
    let before = before();
    for broken in ["v1/head", "v1/files/"] {
        let server = Server::new(
            before.stick.path(),
            move |path| {
                if path.starts_with(broken) { Fault::Half } else { Fault::None }
            },
        );
        before.refuses(&server.url, "broke off");
    }
    let server = Server::new(before.stick.path(), |_| Fault::None);
    before.accepts(&server.url);
}

#[test]
fn a_registry_that_answers_nonsense_is_named() {
    let before = before();
    for (fault, why) in [
        (Fault::Answer(500, ""), "the registry answers 500"),
        (Fault::Answer(503, r#"{"error":"busy","message":"try later"}"#), "503: try later"),
        (Fault::Answer(404, "<html>no</html>"), "is this the address of a Tongguan registry?"),
        (Fault::Answer(200, "<!doctype html><html>Welcome to the hotel Wi-Fi</html>"), "is not a Tongguan file"),
        (Fault::Answer(403, ""), "the registry answers 403: it does not let this gate in"),
        (Fault::Answer(200, ""), "is not a Tongguan file"),
        (Fault::Raw("SSH-2.0-OpenSSH_9.2p1\r\n\r\n"), "what answers there is no registry"),
        (Fault::Raw(""), "was reached, but the answer broke off"),
        (Fault::Endless, "more than the 16384 bytes"),
    ] {
        let server = Server::new(before.stick.path(), move |_| fault);
        before.refuses(&server.url, why);
    }
    // The head is good, and what it names is endless: the download stops at the size in the head.
    let server = Server::new(before.stick.path(), |path| if path == "v1/head" { Fault::None } else { Fault::Endless });
    before.refuses(&server.url, "bytes this file may have");
    before.refuses("http://127.0.0.1:1", "cannot be reached: Connection refused");
    before.refuses("http://registry.invalid", "cannot be reached");
    // A plain server where a secure one is expected.
    let plain = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", plain.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = plain.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        stream.read_to_end(&mut Vec::new()).ok();
    });
    before.refuses(&url, "not securely");
    server.join().unwrap();
    before.refuses("/nowhere", "cannot read /nowhere/v1/head");
    before.accepts(&before.stick.path().display().to_string());
}

#[test]
fn a_file_that_is_missing_or_half_there_is_named_with_its_place_and_what_to_do() {
    let registry = Registry::new();
    let (stick, checkpoint) = (registry.bundle(), Checkpoint::new(&registry, ""));
    let source = stick.path().display().to_string();
    let keyset = fs::read_dir(stick.path().join("v1/files")).unwrap().flatten().map(|e| e.path());
    let keyset = keyset.into_iter().find(|f| fs::read(f).unwrap().starts_with(b"TGS1\x02")).unwrap();
    let whole = fs::read(&keyset).unwrap();
    let place = keyset.display().to_string();
    fs::write(&keyset, &whole[..whole.len() / 2]).unwrap();
    let said = checkpoint.sync_from(&source).with_code(1);
    let half = format!("({} of {} bytes at {place})", whole.len() / 2, whole.len());
    for words in ["the keyset", &half, "tongguan-registry bundle"] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    fs::remove_file(&keyset).unwrap();
    let server = Server::new(stick.path(), |_| Fault::None);
    let name = keyset.file_name().unwrap().display();
    for (source, place) in [(&source, &place), (&server.url, &format!("{}/v1/files/{name}", server.url))] {
        let said = checkpoint.sync_from(source).with_code(2);
        for words in ["the keyset is missing", place, "tongguan-registry bundle"] {
            assert!(said.err.contains(words), "{words}: {}", said.err);
        }
    }
}

#[test]
fn events_are_handed_to_the_configured_registry_and_to_nobody_else_who_says_to_have_them() {
    let registry = Registry::new();
    let checkpoint = Checkpoint::synced(&registry);
    checkpoint.show_codes(&["https://example.org/"]);
    let stick = registry.bundle();
    let server = Server::new(stick.path(), |path| match path {
        "v1/events" => Fault::Answer(200, r#"{"stored":1,"duplicate":0,"next_seq":2}"#),
        _ => Fault::None,
    });
    let report = checkpoint.sync_from(&server.url).ok().one();
    assert_eq!((&report["events_sent"], &report["events_waiting"]), (&0.into(), &1.into()), "{report}");
    assert_eq!(checkpoint.journal()[0]["handed_in"], false);
}

#[test]
fn a_film_that_breaks_off_is_an_error() {
    let registry = Registry::new();
    let checkpoint = Checkpoint::synced(&registry);
    let film = checkpoint.dir.path().join("film.y4m");
    let frame = [b"FRAME\n".as_slice(), &[128; 64 * 48]].concat();
    fs::write(&film, [b"YUV4MPEG2 W64 H48 F15:1 Cmono\n", frame.as_slice(), &frame[..1000]].concat()).unwrap();
    let said = checkpoint.play(&format!("replay:{}?fps=0&loop=0", film.display())).with_code(2);
    assert!(said.err.contains("breaks off"), "{}", said.err);
}

#[test]
fn the_lists_of_another_registry_and_old_lists_are_refused() {
    let before = before();
    let other = Registry::new();
    before.refuses(&other.bundle().path().display().to_string(), "another registry");
    let old = before.registry.bundle();
    before.registry.publish();
    before.accepts(&before.registry.bundle().path().display().to_string());
    let said = before.checkpoint.sync_from(&old.path().display().to_string()).with_code(1);
    assert!(text(&said.one()["error"]).contains("goes back"), "{}", said.out);
    assert_eq!(before.checkpoint.verdict(&before.code).1, "revoked");
}

#[test]
fn a_gate_that_cannot_reach_its_registry_goes_on_judging() {
    let registry = Registry::new();
    let code = registry.live(&registry.person("周某"));
    let checkpoint = Checkpoint::new(&registry, "http://127.0.0.1:1");
    checkpoint.sync_from(&registry.bundle().path().display().to_string()).ok();
    assert_eq!(common::outcomes(&checkpoint.show_codes(&[&code])).len(), 1);
    assert_eq!(checkpoint.journal()[0]["verdict"], "pass");
}

#[test]
fn a_gate_that_never_synced_asks_for_it() {
    let registry = Registry::new();
    let checkpoint = Checkpoint::new(&registry, "");
    let code = registry.live(&registry.person("周某"));
    assert_eq!(checkpoint.verdict(&code), ("confirm".into(), "unknown_key".into()));
}

#[test]
fn codes_of_any_size_and_content_get_a_verdict() {
    let registry = Registry::new();
    let checkpoint = Checkpoint::synced(&registry);
    let data = checkpoint.data();
    let mut input = b"\n\x00\xff\xfe\x01\nwxp://f2f0\nhttps://example.org\nHC1:6BF\nTG1:\nTG2:AAAA\n".to_vec();
    input.extend_from_slice(b"TG1:");
    input.extend(vec![b'A'; 10_000_000]);
    input.extend_from_slice(b"\n");
    input.extend(vec![b'x'; 10_000_000]);
    let said = pipe(&["verify", "--json", "--data", &data, "-"], &input).with_code(1);
    let reasons: Vec<String> = said.json().iter().map(|v| text(&v["reason"])).collect();
    assert_eq!(
        reasons,
        [
            "not_our_code",
            "not_our_code",
            "not_our_code",
            "not_our_code",
            "not_our_code",
            "damaged",
            "unknown_kind",
            "damaged",
            "not_our_code"
        ]
    );
    assert_eq!(said.json()[2]["looks_like"], "payment");
}

#[test]
fn pictures_that_are_none_are_named_one_by_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    common::picture("https://example.org", path("good.png").as_ref());
    let good = fs::read(path("good.png")).unwrap();
    fs::write(path("cut.png"), &good[..good.len() / 2]).unwrap();
    fs::write(path("text.png"), "not a picture").unwrap();
    fs::write(path("empty.png"), "").unwrap();
    fs::write(path("zero.pgm"), "P5 0 0 255\n").unwrap();
    image::GrayImage::new(40_000, 2).save(path("wide.png")).unwrap();
    let names = ["good.png", "cut.png", "text.png", "empty.png", "zero.pgm", "wide.png", "missing.png"].map(path);
    let args: Vec<&str> = ["decode", "--json"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let answers = run(common::TONGGUAN, &args).with_code(2).json();
    assert_eq!(answers.len(), names.len());
    assert_eq!(answers[0]["codes"][0]["text"], "https://example.org");
    assert_eq!(answers[0]["codes"][0]["corners"].as_array().unwrap().len(), 4);
    for answer in &answers[1..] {
        assert!(!text(&answer["error"]).is_empty(), "{answer}");
    }
    assert!(text(&answers[5]["error"]).contains("at most 8192 pixels"), "{}", answers[5]);
    assert!(text(&answers[2]["error"]).contains("not a picture"), "{}", answers[2]);
}

#[test]
fn frames_that_are_damaged_are_skipped_and_the_good_ones_judged() {
    let registry = Registry::new();
    let checkpoint = Checkpoint::synced(&registry);
    let dir = tempfile::tempdir().unwrap();
    common::picture("https://example.org", &dir.path().join("2.png"));
    let good = fs::read(dir.path().join("2.png")).unwrap();
    fs::write(dir.path().join("1.png"), &good[..good.len() / 2]).unwrap();
    fs::write(dir.path().join("3.png"), "junk").unwrap();
    assert_eq!(checkpoint.show(dir.path()).len(), 1);
    let said = checkpoint.play("replay:/nowhere?loop=0").with_code(2);
    assert!(said.err.contains("cannot replay /nowhere"), "{}", said.err);
}

#[test]
fn a_gate_whose_log_nobody_reads_goes_on_judging_and_ends() {
    let registry = Registry::new();
    let checkpoint = Checkpoint::synced(&registry);
    let frames = tempfile::tempdir().unwrap();
    // More complaints than a pipe holds, and then a code.
    for i in 0..1000 {
        fs::write(frames.path().join(format!("{i:04}-{}.png", "x".repeat(100))), "junk").unwrap();
    }
    common::picture("https://example.org", &frames.path().join("last.png"));
    let (camera, data) = (format!("replay:{}?fps=0&loop=0", frames.path().display()), checkpoint.data());
    let args = ["run", "--camera", &camera, "--gate", "sim", "--screen", "none", "--events", "-", "--data", &data];
    let mut gate = common::start(&args);
    let _unread = gate.stderr.take();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let status = loop {
        match gate.try_wait().unwrap() {
            Some(status) => break status,
            None if std::time::Instant::now() > end => {
                gate.kill().unwrap();
                panic!("it hangs");
            }
            None => std::thread::sleep(std::time::Duration::from_millis(20)),
        }
    };
    assert!(status.success(), "{status}");
    assert_eq!(checkpoint.journal().len(), 1);
}

#[test]
fn a_wrong_configuration_names_the_key_and_the_nearest_right_one() {
    let registry = Registry::new();
    let checkpoint = Checkpoint::synced(&registry);
    let config = checkpoint.dir.path().join("bad.toml");
    fs::write(&config, "camrea = \"none\"\n").unwrap();
    let said = checkpoint.command(&["run", "--screen", "none", "--config", &config.display().to_string()]).with_code(2);
    assert!(said.err.contains("no key \"camrea\"; did you mean \"camera\"?"), "{}", said.err);
    let said = checkpoint.command(&["run", "--camera", "webcam"]).with_code(2);
    assert!(said.err.contains("nokhwa:0"), "{}", said.err);
}

#[test]
fn data_folders_that_cannot_be_used_say_why_and_stay_as_they_are() {
    let registry = Registry::new();
    let checkpoint = Checkpoint::synced(&registry);
    let data = PathBuf::from(checkpoint.data());

    let said = run(common::TONGGUAN, &["sync", "--data", "/nowhere", "--from", "/nowhere"]).with_code(2);
    assert!(said.err.contains("tongguan init"), "{}", said.err);
    let init = ["init", "--data", &checkpoint.data(), "--registry", "", "--root", &registry.root()];
    let key = fs::read(data.join("device.pem")).unwrap();
    let said = run(common::TONGGUAN, &init).with_code(2);
    assert!(said.err.contains("already a checkpoint's data folder"), "{}", said.err);
    assert_eq!(fs::read(data.join("device.pem")).unwrap(), key);
    let said =
        run(common::TONGGUAN, &["init", "--data", "/proc/nowhere", "--registry", "", "--root", &registry.root()]);
    assert!(said.with_code(2).err.contains("/proc/nowhere"));
    let new = checkpoint.dir.path().join("new");
    for registry_at in ["nonsense here", "http://", "https:///v1", "ftp://registry.example", "/nowhere"] {
        let args =
            ["init", "--data", &new.display().to_string(), "--registry", registry_at, "--root", &registry.root()];
        let said = run(common::TONGGUAN, &args).with_code(2);
        assert!(said.err.contains("such as https://registry.example"), "{}", said.err);
        assert!(!new.exists());
    }
    let not_a_root = data.join("device.pem").display().to_string();
    let other = checkpoint.dir.path().join("other").display().to_string();
    let said = run(common::TONGGUAN, &["init", "--data", &other, "--registry", "", "--root", &not_a_root]).with_code(2);
    assert!(said.err.contains("is not a registry's root file"), "{}", said.err);

    for database in ["trust.db", "journal.db"] {
        let db = rusqlite::Connection::open(data.join(database)).unwrap();
        let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        db.pragma_update(None, "user_version", 99).unwrap();
        let said = checkpoint.command(&["sync", "--from", "/nowhere"]).with_code(2);
        assert!(said.err.contains("later version of tongguan"), "{}", said.err);
        db.pragma_update(None, "user_version", version).unwrap();
    }
}

#[test]
fn a_damaged_database_is_set_aside_and_the_gate_recovers_by_a_sync() {
    let registry = Registry::new();
    let code = registry.live(&registry.person("周某"));
    let checkpoint = Checkpoint::synced(&registry);
    let data = PathBuf::from(checkpoint.data());
    fs::write(data.join("trust.db"), vec![0x5a; 8192]).unwrap();
    fs::write(data.join("journal.db"), vec![0x5a; 8192]).unwrap();
    assert!(checkpoint.unanswered(&code).contains("sets it aside and begins anew"));
    assert_eq!(fs::read(data.join("trust.db")).unwrap(), vec![0x5a; 8192], "a question changes nothing");
    checkpoint.sync_from(&registry.bundle().path().display().to_string()).ok();
    assert_eq!(checkpoint.verdict(&code), ("pass".into(), "fresh".into()));
    let aside = fs::read_dir(&data).unwrap().flatten().filter(|e| e.file_name().to_string_lossy().contains("damaged-"));
    assert!(aside.count() >= 2, "both are kept for whoever wants to look");
}

#[test]
fn a_list_changed_on_the_card_is_not_believed() {
    let before = before();
    let trust = PathBuf::from(before.checkpoint.data()).join("trust.db");
    let db = rusqlite::Connection::open(trust).unwrap();
    assert_eq!(db.execute("DELETE FROM revocation", []).unwrap(), 1);
    drop(db);
    assert!(before.checkpoint.unanswered(&before.code).contains("does not add up"));
    before.accepts(&before.stick.path().display().to_string());
}

#[test]
fn a_gate_that_cannot_start_says_why_where_the_guard_looks() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("bad.toml");
    let to = |name: &str| dir.path().join(name).display().to_string();
    // The fault stands before and after the line that says where the screen is.
    let text = format!("language = = 3\nscreen = \"picture:{}\"\n[gate]\npulse_ms = 0\n", to("b.png"));
    fs::write(&config, text).unwrap();
    let (screen, config) = (format!("picture:{}", to("a.png")), config.display().to_string());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let said = run(common::TONGGUAN, &["run", "--data", "/nowhere", "--camera", "none", "--screen", &screen]);
            assert!(said.with_code(2).err.contains("tongguan init"));
        });
        scope.spawn(|| {
            let said = run(common::TONGGUAN, &["run", "--data", "/nowhere", "--config", &config]).with_code(2);
            assert!(said.err.contains("bad.toml: TOML parse error at line 1"), "{}", said.err);
        });
    });
    for picture in [to("a.png"), to("b.png")] {
        // The page is filled with the red of a refusal.
        let shown = image::open(&picture).unwrap().into_rgb8();
        let red = |p: &&image::Rgb<u8>| p[0] > 120 && p[1] < 60 && p[2] < 80;
        assert!(shown.pixels().filter(red).count() > 100_000, "{picture}");
    }
}

#[test]
fn a_time_that_was_recorded_or_made_up_is_not_believed_and_does_not_harm_the_lists() {
    let mut registry = Registry::new();
    let stick = registry.bundle();
    // A true answer to somebody else's question.
    let url = registry.serve();
    let mut wire = std::net::TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    write!(wire, "GET /v1/time?nonce={} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "0".repeat(32)).unwrap();
    let mut answer = Vec::new();
    wire.read_to_end(&mut answer).unwrap();
    let body = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    fs::write(stick.path().join("v1/recorded"), &answer[body..]).unwrap();
    fs::write(stick.path().join("v1/cut"), &answer[body..answer.len() - 1]).unwrap();
    for (fault, why) in [
        (Fault::Instead("v1/recorded"), "nonce"),
        (Fault::Instead("v1/cut"), "refused the time"),
        (Fault::Instead("v1/head"), "refused the time"),
        (Fault::Answer(200, "<html>hotel</html>"), "is not a Tongguan file"),
        (Fault::Answer(404, ""), "404"),
        (Fault::Endless, "bytes this file may have"),
    ] {
        let checkpoint = Checkpoint::doubting(&registry, "");
        let server =
            Server::new(stick.path(), move |path| if path.starts_with("v1/time") { fault } else { Fault::None });
        let said = checkpoint.sync_from(&server.url).ok();
        assert!(said.err.contains("the registry's time") && said.err.contains(why), "{why}: {}", said.err);
        let known = checkpoint.command(&["doctor", "--clock", "--json"]).one();
        let heard: Vec<String> =
            known["clock"]["witnesses"].as_array().unwrap().iter().map(|w| text(&w["by"])).collect();
        assert!(!heard.contains(&"registry".into()), "{heard:?}");
    }
}
