//! The HTTP API of a running registry, as checkpoints and phones use it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::{Folder, Server, keyset};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use tongguan_pass::{Carried, Head, Keyset, RevocationList, SigningKey, TimeReply, Unverified};

fn keys(folder: &Folder, server: &Server) -> Keyset {
    let head = Head::peek_unverified(&server.get("/v1/head").body).unwrap();
    keyset(&folder.root(), &server.get(&format!("/v1/files/{}", head.keyset.hash)).body)
}

#[test]
fn a_checkpoint_fetches_a_head_it_can_believe_and_every_file_it_names() {
    let folder = Folder::initialised();
    let server = folder.serve();
    let answer = server.get("/v1/head");
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-cache"));
    let head = Head::open(&answer.body, &keys(&folder, &server)).unwrap();
    for named in [head.root, head.keyset, head.revocations.snapshot] {
        let file = server.get(&format!("/v1/files/{}", named.hash));
        named.check(&file.body).unwrap();
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(file.header("content-type"), "application/octet-stream");
    }
    let tag = answer.header("etag");
    for asked in [tag.to_owned(), format!("\"other\", W/{tag}"), "*".to_owned()] {
        let again = server.ask("GET", "/v1/head", &[("If-None-Match", &asked)], b"");
        assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, tag), "{asked}");
    }
    assert_eq!(server.ask("GET", "/v1/head", &[("If-None-Match", "\"old\"")], b"").status, 200);
    let address = format!("/v1/files/{}", head.keyset.hash);
    let whole = server.get(&address).body;
    for (range, status, from) in [
        ("bytes=40-", 206, 40),
        ("bytes=0-", 200, 0),
        ("bytes=40-50", 200, 0),
        ("bytes=99999-", 200, 0),
        ("bytes=-5", 200, 0),
        ("bytes=18446744073709551616-", 200, 0),
    ] {
        let rest = server.ask("GET", &address, &[("Range", range)], b"");
        assert_eq!((rest.status, rest.body.as_slice()), (status, &whole[from..]), "{range}");
        if status == 206 {
            assert_eq!(rest.header("content-range"), format!("bytes 40-{}/{}", whole.len() - 1, whole.len()));
        }
    }
    assert_eq!(server.get(&format!("/v1/files/{}", "0".repeat(64))).error(404), "not_found");
    for bad in ["zz", &"0".repeat(63), &"A".repeat(64), "..%2f..%2fregistry.db", &"0".repeat(4000)] {
        assert_eq!(server.get(&format!("/v1/files/{bad}")).error(400), "bad_request", "{bad:.80}");
    }
}

#[test]
fn a_revocation_at_the_command_line_reaches_the_served_lists_by_itself() {
    let folder = Folder::initialised();
    let server = folder.serve();
    let (person, _) = folder.person();
    let code = folder.run(&format!("code printed --person {person}")).json();
    let handle = Unverified::parse(code["code"].as_str().unwrap()).unwrap().claims().handle();
    folder.run(&format!("revoke --person {person}")).json();
    let deadline = Instant::now() + Duration::from_secs(15);
    let head = loop {
        let head = Head::peek_unverified(&server.get("/v1/head").body).unwrap();
        if head.revocations.count == 1 {
            break head;
        }
        assert!(Instant::now() < deadline, "not published");
        thread::sleep(Duration::from_millis(100));
    };
    let delta = head.revocations.deltas.last().unwrap();
    let list = RevocationList::decode(&server.get(&format!("/v1/files/{}", delta.file.hash)).body).unwrap();
    assert_eq!(list.entries.iter().map(|e| e.handle).collect::<Vec<_>>(), [handle]);
}

#[test]
fn a_resident_gets_codes_by_their_token_and_nobody_else_does() {
    let folder = Folder::initialised();
    let server = folder.serve();
    let (_, token) = folder.person();
    let keys = keys(&folder, &server);
    let bearer = format!("Bearer {token}");
    let live = server.post("/v1/codes/live", &[("Authorization", &bearer)], b"");
    assert_eq!((live.status, live.header("cache-control")), (200, "no-store"));
    let live = live.json();
    Unverified::parse(live["code"].as_str().unwrap()).unwrap().verify(&keys).unwrap();
    assert!(live["server_time"].as_str().unwrap() < live["expires_at"].as_str().unwrap());

    let phone = SigningKey::from_bytes(&[5; 32]);
    let body = json!({ "holder_key": HEXLOWER.encode(phone.verifying_key().as_bytes()) }).to_string();
    let as_json = ("Content-Type", "application/json");
    let reply = server.post("/v1/certificates", &[("Authorization", &bearer), as_json], body.as_bytes());
    assert_eq!((reply.status, reply.header("cache-control")), (200, "no-store"));
    let certificate = HEXLOWER.decode(reply.json()["certificate"].as_str().unwrap().as_bytes()).unwrap();
    let carried = Carried::make(&certificate.try_into().unwrap(), 1, &phone);
    Unverified::parse(&carried).unwrap().verify(&keys).unwrap();

    let other = "A".repeat(43);
    for wrong in ["", "Bearer", "Bearer ", "Basic abc", &format!("Bearer {other}"), &format!("Bearer {token}x")] {
        let refused = server.post("/v1/codes/live", &[("Authorization", wrong)], b"");
        assert_eq!(refused.error(401), "unauthorized", "{wrong}");
        assert_eq!(refused.header("www-authenticate"), "Bearer");
        assert!(!refused.text().contains(&other));
    }
    assert_eq!(server.post("/v1/codes/live", &[], b"").error(401), "unauthorized");
    for bad in [
        "",
        "{}",
        "{\"holder_key\":\"00\"}",
        "{\"holder_key\":1}",
        "[",
        &format!("{{\"holder_key\":\"01{}\"}}", "0".repeat(62)),
    ] {
        let refused = server.post("/v1/certificates", &[("Authorization", &bearer), as_json], bad.as_bytes());
        assert_eq!(refused.error(400), "bad_request", "{bad}");
    }
    let long = server.post("/v1/certificates", &[("Authorization", &bearer), as_json], &[b' '; 20_000]);
    assert_eq!(long.error(413), "too_large");
    assert_eq!(
        server.post("/v1/certificates", &[("Authorization", &bearer)], body.as_bytes()).error(415),
        "unsupported_media_type"
    );

    let (code, log) = server.stop();
    assert_eq!(code, 0);
    assert!(!log.contains(&token), "{log}");
}

#[test]
fn the_time_is_signed_for_the_asker_alone() {
    let folder = Folder::initialised();
    let server = folder.serve();
    let reply = server.get("/v1/time?nonce=00112233445566778899aabbccddeeff");
    assert_eq!((reply.status, reply.header("cache-control")), (200, "no-store"));
    let nonce: [u8; 16] = HEXLOWER.decode(b"00112233445566778899aabbccddeeff").unwrap().try_into().unwrap();
    TimeReply::open(&reply.body, &keys(&folder, &server), &nonce).unwrap();
    for bad in ["", "?nonce=", "?nonce=0011", "?nonce=zz112233445566778899aabbccddeeff", "?nonce=1&nonce=2"] {
        assert_eq!(server.get(&format!("/v1/time{bad}")).error(400), "bad_request", "{bad}");
    }
}

#[test]
fn the_registry_keeps_everything_over_a_restart() {
    let folder = Folder::initialised();
    let (_, token) = folder.person();
    let server = folder.serve();
    let head = server.get("/v1/head").body;
    assert_eq!(server.stop().0, 0);
    let server = folder.serve();
    assert_eq!(server.get("/v1/head").body, head);
    assert_eq!(server.post("/v1/codes/live", &[("Authorization", &format!("Bearer {token}"))], b"").status, 200);
    // A lost public root file is written again; it is in the database too.
    assert_eq!(server.stop().0, 0);
    let root = std::fs::read(folder.data().join("root.pub")).unwrap();
    std::fs::remove_file(folder.data().join("root.pub")).unwrap();
    drop(folder.serve());
    assert_eq!(std::fs::read(folder.data().join("root.pub")).unwrap(), root);
}

#[test]
fn the_command_line_and_the_server_work_on_one_registry_at_once() {
    let folder = Folder::initialised();
    let server = folder.serve();
    let (_, token) = folder.person();
    let bearer = format!("Bearer {token}");
    thread::scope(|s| {
        for _ in 0..3 {
            s.spawn(|| {
                for _ in 0..5 {
                    let (person, _) = folder.person();
                    folder.run(&format!("code live --person {person}")).json();
                    folder.run(&format!("revoke --person {person}")).json();
                    folder.run("publish").json();
                }
            });
            s.spawn(|| {
                for _ in 0..40 {
                    assert_eq!(server.post("/v1/codes/live", &[("Authorization", &bearer)], b"").status, 200);
                    assert_eq!(server.get("/v1/head").status, 200);
                }
            });
        }
    });
    folder.run("publish").json();
    let head = Head::peek_unverified(&server.get("/v1/head").body).unwrap();
    assert_eq!(head.revocations.count, 15);
    assert!(head.version >= 17);
}

#[test]
fn its_health_says_how_old_its_lists_are() {
    let folder = Folder::initialised();
    let server = folder.serve();
    let health = server.get("/healthz").json();
    assert_eq!(health["status"], "ok");
    assert!(health["version"].as_u64().unwrap() >= 1);
    assert!(health["head_age_s"].as_u64().unwrap() < 60);
}

#[test]
fn the_openapi_description_names_every_address_with_the_methods_and_answers_it_has() {
    let folder = Folder::initialised();
    let server = folder.serve();
    let description = server.get("/openapi.json").json();
    let paths = description["paths"].as_object().unwrap();
    for path in [
        "/v1/head",
        "/v1/files/{sha256}",
        "/v1/events",
        "/v1/time",
        "/v1/codes/live",
        "/v1/certificates",
        "/healthz",
        "/openapi.json",
    ] {
        assert!(paths.contains_key(path), "{path}");
    }
    for (path, methods) in paths {
        let address = path.replace("{sha256}", "00");
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            let answer = server.ask(method, &address, &[], b"");
            match methods.get(method.to_ascii_lowercase()) {
                Some(described) => {
                    let status = answer.status.to_string();
                    assert!(described["responses"].get(&status).is_some(), "{method} {path} answers {status}");
                }
                None => assert_eq!(answer.error(405), "method_not_allowed", "{method} {path}"),
            }
        }
    }
    assert_eq!(server.get("/v2/head").error(404), "not_found");
    let endless = "x".repeat(100_000);
    assert_eq!(server.ask("GET", "/v1/head", &[("X", &endless)], b"").status, 431);
}

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

#[test]
fn whoever_has_a_token_gets_a_session_and_a_scannable_code_and_nobody_else_does() {
    let folder = Folder::initialised();
    let server = folder.serve();
    let (_, token) = folder.person();
    let form = server.get("/enter");
    assert!(form.text().contains("<form method=\"post\" action=\"/enter/token\""));
    let policy = form.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(server.get("/code").header("location"), "/enter");
    let entered = server.post("/enter/token", &[FORM], format!("token={token}").as_bytes());
    assert_eq!((entered.status, entered.header("location")), (303, "/code"));
    let cookie = entered.header("set-cookie");
    assert!(cookie.contains("; HttpOnly; SameSite=Lax;"), "{cookie}");
    assert!(!cookie.contains(&token), "the session is another secret than the token");
    let session = [("Cookie", cookie.split(';').next().unwrap())];
    let shown = server.ask("GET", "/code", &session, b"");
    assert_eq!((shown.status, shown.header("cache-control")), (200, "no-store"));
    let page = shown.text();
    assert!(page.contains("viewBox=\"0 0 49 49\"") && page.contains("fill=\"#fff\"") && page.contains("fill=\"#000\""));
    for inline in ["<style", "style=", "onclick", "<script>"] {
        assert!(!page.contains(inline), "the policy forbids {inline}");
    }
    for wrong in ["token=wrong".to_owned(), format!("token={}", "A".repeat(43))] {
        let refused = server.ask("POST", "/enter/token", &[FORM, ("Accept-Language", "en")], wrong.as_bytes());
        assert_eq!(refused.status, 401);
        assert!(refused.text().contains("This token is wrong"));
    }
    for (unreadable, status) in [(String::new(), 400), ("x".repeat(100_000), 400)] {
        assert_eq!(server.post("/enter/token", &[FORM], unreadable.as_bytes()).status, status);
    }
    assert_eq!(server.ask("POST", "/leave", &session, b"").status, 303);
    assert_eq!(server.ask("GET", "/code", &session, b"").header("location"), "/enter", "the session is over");
    for asset in ["style.css", "app.js", "code.js", "sw.js", "icon.svg", "licenses.txt"] {
        assert_eq!(server.get(&format!("/assets/{asset}")).status, 200);
    }
    assert_eq!(server.get("/assets/registry.db").error(404), "not_found");
    assert_eq!(server.get("/dev/inbox").error(404), "not_found", "only with --dev");
    let _: Value = server.get("/openapi.json").json();
}

#[test]
fn what_another_site_sends_in_somebody_s_name_is_refused() {
    let folder = Folder::initialised();
    let server = folder.serve();
    let foreign = [FORM, ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")];
    for path in ["/leave", "/register", "/register/confirm", "/me/change", "/code/next", "/enter"] {
        assert_eq!(server.ask("POST", path, &foreign, b"agree=on").status, 403, "{path}");
    }
    let old = [FORM, ("Origin", "https://evil.example")];
    assert_eq!(server.ask("POST", "/leave", &old, b"").status, 403, "a browser that knows no Sec-Fetch-Site");
    let to =
        |back: &str| server.post("/lang/en", &[FORM], format!("back={back}").as_bytes()).header("location").to_owned();
    assert_eq!(to("/register/form"), "/register/form");
    for elsewhere in ["https://evil.example", "//evil.example", "/%5cevil.example", "/a%0d%0aX: y", ""] {
        assert_eq!(to(elsewhere), "/", "{elsewhere}");
    }
}
