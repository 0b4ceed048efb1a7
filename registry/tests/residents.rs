//! Residents' pages as whoever means harm uses them; how people use them `make pages` shows in a browser.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod common;

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use common::{Folder, Response, Server};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
/// Specimens: a made-up one, and the example of GB 11643.
const DOCUMENTS: [&str; 2] = ["440308199901101512", "11010519491231002X"];

/// A browser: its cookies, and nothing else.
struct Browser<'a> {
    server: &'a Server,
    cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    fn new(server: &'a Server) -> Self {
        Self { server, cookies: BTreeMap::new() }
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> Response {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let headers = [FORM, ("Cookie", cookies.as_str()), ("Accept-Language", "en")];
        let answer = self.server.ask(method, path, &headers, body.as_bytes());
        for cookie in answer.all("set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    fn get(&mut self, path: &str) -> Response {
        self.ask("GET", path, "")
    }

    fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        self.ask("POST", path, &body.join("&"))
    }

    /// Sends the form of somebody, with one button, and gives the page that comes of it.
    fn register(&mut self, who: &Who<'_>, more: &[(&str, &str)], button: &str) -> String {
        let mut fields = vec![
            ("name", who.name),
            ("document_kind", who.kind),
            ("document_number", who.number),
            ("gender", "female"),
            ("phone", who.phone),
            ("community", "1"),
            ("search", "示例"),
            ("act", button),
        ];
        fields.extend(more);
        let next = self.post("/register/form", &fields);
        assert_eq!(next.status, 303, "{}", next.text());
        let path = next.header("location").split('#').next().unwrap().to_owned();
        self.get(&path).text()
    }

    /// As far as the page that asks whether all is right.
    fn ready(&mut self, who: &Who<'_>) -> String {
        assert_eq!(self.post("/register", &[("agree", "on")]).header("location"), "/register/form");
        self.register(who, &[], "code");
        let code = sent(self.server, who.phone);
        self.register(who, &[("code", &code)], "next")
    }
}

struct Who<'a> {
    name: &'a str,
    kind: &'a str,
    number: &'a str,
    phone: &'a str,
}

fn who<'a>(number: &'a str, phone: &'a str) -> Who<'a> {
    Who { name: "周小明", kind: "resident_id", number, phone }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// The newest code that was sent to a phone.
fn sent(server: &Server, phone: &str) -> String {
    for _ in 0..100 {
        let inbox = server.get("/dev/inbox").text();
        if let Some(at) = inbox.find(&format!("{phone}</span>")) {
            let digits = inbox[at + phone.len()..].split(|c: char| !c.is_ascii_digit()).find(|part| part.len() == 6);
            return digits.unwrap().to_owned();
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("no message to {phone}");
}

#[test]
fn a_phone_gets_one_message_a_minute_whoever_asks_and_a_wrong_code_is_tried_five_times() {
    let folder = Folder::initialised();
    let server = folder.serve_with(&["--dev"]);
    let phone = "15312345678";
    let mut browser = Browser::new(&server);
    let first = browser.post("/enter", &[("phone", phone), ("act", "code")]).text();
    assert!(first.contains("A code was sent to 153****"), "{first}");
    let code = sent(&server, phone);
    for mut other in [Browser::new(&server), Browser::new(&server)] {
        let refused = other.post("/enter", &[("phone", "+86 153-1234-5678"), ("act", "code")]).text();
        assert!(refused.contains("Too many requests"), "{refused}");
        let stolen = other.post("/enter", &[("phone", phone), ("code", &code), ("act", "next")]).text();
        assert!(stolen.contains("no longer good"), "a code is good in the browser that asked: {stolen}");
    }
    let wrong = if code == "123456" { "654321" } else { "123456" };
    for _ in 0..5 {
        let page = browser.post("/enter", &[("phone", phone), ("code", wrong), ("act", "next")]).text();
        assert!(page.contains("not the code of the message"), "{page}");
    }
    let late = browser.post("/enter", &[("phone", phone), ("code", &code), ("act", "next")]).text();
    assert!(late.contains("no longer good"), "{late}");
    // One browser, many phones.
    let asked = (0..20).map(|n| {
        let page = browser.post("/enter", &[("phone", &format!("153000000{n:02}")), ("act", "code")]).text();
        page.contains("A code was sent")
    });
    assert_eq!(asked.filter(|sent| *sent).count(), 5, "six an hour, the first among them");
}

#[test]
fn nobody_learns_who_is_registered_before_a_phone_is_proven() {
    let folder = Folder::initialised();
    let server = folder.serve_with(&["--dev"]);
    let mut known = Browser::new(&server);
    known.ready(&who(DOCUMENTS[0], "15312345678"));
    assert_eq!(known.post("/register/confirm", &[]).header("location"), "/code");
    let answers = ["15312345678", "15312345679"].map(|phone| {
        let mut browser = Browser::new(&server);
        // The quota of the phone that was asked for a minute ago answers first, so it is the form that is compared.
        let page = browser.post("/enter", &[("phone", phone), ("code", "000000"), ("act", "next")]);
        (page.status, page.text().replace(phone, "PHONE"))
    });
    assert_eq!(answers[0], answers[1]);
    let forms = [DOCUMENTS[0], DOCUMENTS[1]].map(|number| {
        let mut browser = Browser::new(&server);
        browser.post("/register", &[("agree", "on")]);
        let page = browser.register(&who(number, "15399999999"), &[], "next");
        page.replace(number, "NUMBER")
    });
    assert_eq!(forms[0], forms[1], "a number that is taken looks like one that is not");
}

#[test]
fn of_many_who_register_one_document_at_once_exactly_one_wins_and_a_form_sent_again_makes_nobody() {
    let folder = Folder::initialised();
    let server = folder.serve_with(&["--dev"]);
    let phones: Vec<String> = (0..6).map(|n| format!("1531234560{n}")).collect();
    let mut browsers: Vec<_> = phones.iter().map(|_| Browser::new(&server)).collect();
    for (browser, phone) in browsers.iter_mut().zip(&phones) {
        let page = browser.ready(&who(DOCUMENTS[0], phone));
        assert!(page.contains("Is all of this right?"), "{page}");
    }
    let start = Barrier::new(browsers.len());
    let ends: Vec<String> = thread::scope(|scope| {
        let all: Vec<_> = browsers
            .iter_mut()
            .map(|browser| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    browser.post("/register/confirm", &[]).header("location").to_owned()
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(ends.iter().filter(|end| *end == "/code").count(), 1, "{ends:?}");
    let (at, _) = ends.iter().enumerate().find(|(_, end)| *end == "/code").unwrap();
    let loser = (at + 1) % browsers.len();
    assert!(browsers[loser].get("/register/confirm").text().contains("with this document already"));
    // The winner's form once more, and the session that it was typed in.
    assert_eq!(browsers[at].post("/register/confirm", &[]).header("location"), "/code");
    assert_eq!(browsers[at].get("/code").status, 200);
}

#[test]
fn a_session_that_somebody_else_began_is_not_the_one_that_is_logged_in() {
    let folder = Folder::initialised();
    let server = folder.serve_with(&["--dev"]);
    let mut victim = Browser::new(&server);
    victim.post("/register", &[("agree", "on")]);
    let planted = victim.cookies.clone();
    let who = who(DOCUMENTS[0], "15312345678");
    victim.register(&who, &[], "code");
    let code = sent(&server, who.phone);
    victim.register(&who, &[("code", &code)], "next");
    assert_eq!(victim.post("/register/confirm", &[]).header("location"), "/code");
    assert_ne!(victim.cookies["session"], planted["session"]);
    let mut attacker = Browser { server: &server, cookies: planted };
    assert_eq!(attacker.get("/code").header("location"), "/enter");
    assert_eq!(attacker.get("/me").header("location"), "/enter");
    let mut guess = Browser { server: &server, cookies: BTreeMap::from([("session".to_owned(), "A".repeat(43))]) };
    assert_eq!(guess.get("/code").header("location"), "/enter");
}

#[test]
fn what_is_typed_is_text_wherever_it_is_shown() {
    let folder = Folder::initialised();
    let server = folder.serve_with(&["--dev"]);
    let hostile = "\"><script>alert(1)</script>'; DROP TABLE people; --{{7*7}}%00";
    let mut browser = Browser::new(&server);
    browser.post("/register", &[("agree", "on")]);
    let more = [("building", hostile), ("unit", hostile), ("door", hostile), ("plates", hostile)];
    let all = Who { name: hostile, kind: hostile, number: hostile, phone: hostile };
    let page = browser.register(&all, &more, "next");
    assert!(
        !page.contains("<script>alert") && page.contains("&#60;script&#62;") | page.contains("&lt;script&gt;"),
        "{page}"
    );
    browser.post("/register/form", &[("search", hostile), ("act", "search")]);
    assert!(!browser.get("/register/form").text().contains("<script>alert"));
    // As much of it as may be a name is one.
    let named = Who { name: "<b>周</b>'; --", ..who(DOCUMENTS[0], "15312345678") };
    let page = browser.ready(&named);
    assert!(page.contains("&#60;b&#62;") | page.contains("&lt;b&gt;") && !page.contains("<b>周"), "{page}");
    assert_eq!(browser.post("/register/confirm", &[]).header("location"), "/code");
    assert!(!browser.get("/code").text().contains("<b>"));
    assert!(!browser.get("/me").text().contains("<b>"));
    let huge = "长".repeat(5000);
    assert_eq!(
        Browser::new(&server).post("/enter", &[("phone", &huge), ("act", "next")]).status,
        400,
        "16 KB are enough"
    );
    let (code, log) = server.stop();
    assert_eq!(code, 0);
    // Development shows messages on standard error, and nothing else of anybody.
    for secret in [DOCUMENTS[0], "<b>"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn work_that_was_done_is_good_once_and_only_work_of_ours_counts() {
    let folder = Folder::initialised();
    let server = folder.serve_with(&["--dev"]);
    let challenge = server.get("/challenge");
    assert_eq!((challenge.status, challenge.header("cache-control")), (200, "no-store"));
    let parameters = &challenge.json()["parameters"];
    assert_eq!(parameters["algorithm"], "PBKDF2/SHA-256");
    assert!(challenge.json()["signature"].as_str().is_some_and(|signature| signature.len() == 64));
    // Nonsense is as good as no work: the message goes out, and counts among those of all who did none.
    for (n, work) in ["x", "eyJ9", &"A".repeat(9000)].into_iter().enumerate() {
        let phone = format!("1531111000{n}");
        let page = Browser::new(&server).post("/enter", &[("phone", &phone), ("act", "code"), ("work", work)]).text();
        assert!(page.contains("A code was sent"), "{page}");
    }
}
