//! Vectors of codes that are signed and well-formed: what is in them, and whether they are good now (PF 4 to 7).

use super::make::{
    CERTIFICATE_ENDING, Carried, LIVE_ENDING, LIVE_LONG, LIVE_NEXT, Live, NOW, PRINTED_LONG, Printed, registry_keys,
};
use super::schema::{CodeExpect, CodeVector, Fields, Now};

/// A collection that is being written.
#[derive(Default)]
pub(crate) struct Codes(pub(crate) Vec<CodeVector>);

impl Codes {
    pub(crate) fn push(
        &mut self,
        name: &str,
        clause: &str,
        about: &str,
        now: Now,
        text: impl Into<String>,
        expect: CodeExpect,
    ) {
        self.0.push(CodeVector {
            name: name.into(),
            about: about.into(),
            clause: clause.into(),
            keys: registry_keys(),
            now,
            policy: None,
            text: text.into(),
            expect,
        });
    }

    fn live(&mut self, name: &str, clause: &str, about: &str, now: Now, code: Live, then: (&str, Option<i64>)) {
        self.push(name, clause, about, now, code.text(), verified("live", code.fields(), then));
    }

    fn carried(&mut self, name: &str, clause: &str, about: &str, now: Now, code: Carried, then: (&str, Option<i64>)) {
        self.push(name, clause, about, now, code.text(), verified("carried", code.fields(), then));
    }

    fn printed(&mut self, name: &str, clause: &str, about: &str, now: Now, code: Printed, then: (&str, Option<i64>)) {
        self.push(name, clause, about, now, code.text(), verified("printed", code.fields(), then));
    }
}

pub(crate) fn verified(kind: &str, fields: Fields, (freshness, seconds): (&str, Option<i64>)) -> CodeExpect {
    CodeExpect::Verified { kind: kind.into(), fields, freshness: freshness.into(), seconds }
}

/// Exactly `seconds` after [`NOW`].
pub(crate) fn at(seconds: i64) -> Now {
    between(seconds, seconds)
}

fn between(earliest: i64, latest: i64) -> Now {
    Now { earliest: i64::from(NOW) + earliest, latest: Some(i64::from(NOW) + latest) }
}

/// After a cold boot: only a lower bound is known.
fn not_before(seconds: i64) -> Now {
    Now { earliest: i64::from(NOW) + seconds, latest: None }
}

const FRESH: (&str, Option<i64>) = ("fresh", None);
const UNCERTAIN: (&str, Option<i64>) = ("clock_uncertain", None);

fn expired(ago: i64) -> (&'static str, Option<i64>) {
    ("expired", Some(ago))
}

fn ahead(by: i64) -> (&'static str, Option<i64>) {
    ("not_yet_valid", Some(by))
}

fn phone(ahead: i64) -> (&'static str, Option<i64>) {
    ("phone_clock_wrong", Some(ahead))
}

pub(crate) fn all() -> Vec<CodeVector> {
    let mut codes = Codes::default();
    live(&mut codes);
    carried(&mut codes);
    carried_phone_clock(&mut codes);
    printed(&mut codes);
    codes.0
}

fn live(v: &mut Codes) {
    let code = Live::default();
    v.live("live-fresh", "PF 4.1", "A live code one minute after it was issued.", at(60), code, FRESH);
    v.live("live-at-start", "PF 7.4", "The first second of a live code.", at(0), code, FRESH);
    v.live("live-at-end", "PF 7.4", "The last second of a live code: both ends are inclusive.", at(600), code, FRESH);
    v.live("live-one-second-late", "PF 7.1", "One second after the end.", at(601), code, expired(1));
    v.live("live-one-second-early", "PF 7.2", "One second before the start.", at(-1), code, ahead(1));
    v.live(
        "live-ttl-1",
        "PF 4.2",
        "The shortest life, one minute, at its end.",
        at(60),
        Live { ttl: 1, ..code },
        FRESH,
    );
    v.live(
        "live-ttl-60",
        "PF 4.2",
        "The longest life, one hour, at its end.",
        at(3600),
        Live { ttl: 60, ..code },
        FRESH,
    );
    let largest = Live { handle: u32::MAX, category: 255, community: u32::MAX, ..code };
    v.live("live-largest-fields", "PF 4.1", "Handle, category and community at their largest.", at(60), largest, FRESH);
    let smallest = Live { handle: 0, category: 0, community: 0, ..code };
    v.live("live-smallest-fields", "PF 4.1", "Handle, category and community all zero.", at(60), smallest, FRESH);
    let specimen = Live { flags: 1, ..code };
    let about = "A specimen verifies like any other code; the reader sees the flag and does not let it in.";
    v.live("live-specimen", "PF 2.5", about, at(60), specimen, FRESH);
    let about = "The clock may be just before the start; the code exists, so it has begun.";
    v.live("live-clock-spans-start", "PF 7.4", about, between(-30, 30), code, FRESH);
    let about = "The clock may be just before or just after the end.";
    v.live("live-clock-spans-end", "PF 7.6", about, between(590, 610), code, UNCERTAIN);
    let about = "The whole interval is before the start; the figure counts from its latest moment.";
    v.live("live-clock-all-before", "PF 7.2", about, between(-100, -40), code, ahead(40));
    let about = "The whole interval is after the end; the figure counts from its earliest moment.";
    v.live("live-clock-all-after", "PF 7.1", about, between(640, 700), code, expired(40));
    let about = "With a lower bound only, a code can be proved over, never fresh.";
    v.live("live-floor-only", "PF 7.6", about, not_before(0), code, UNCERTAIN);
    v.live("live-floor-only-over", "PF 7.1", "A lower bound proves the code over.", not_before(605), code, expired(5));
    let ending = Live { key: LIVE_ENDING, ..code };
    v.live("live-key-last-second", "PF 7.1", "The last second of the signing key.", at(300), ending, FRESH);
    let about = "The signing key's validity ends before the code's own.";
    v.live("live-key-over", "PF 7.1", about, at(301), ending, expired(1));
    let next = Live { key: LIVE_NEXT, ..code };
    let about = "The signing key's validity begins 300 s after the code's own.";
    v.live("live-key-not-begun", "PF 7.2", about, at(200), next, ahead(100));
    v.live("live-key-first-second", "PF 7.2", "The first second of the signing key.", at(300), next, FRESH);
    let never = Live { key: LIVE_ENDING, issued_at: NOW + 400, ..code };
    let about = "Issued after its key was over: before the window it is not yet valid, and fresh it never is.";
    v.live("live-issued-after-key", "PF 7.1", about, at(250), never, ahead(150));
    v.live("live-issued-after-key-later", "PF 7.1", "The same code later is expired.", at(420), never, expired(120));
    let last = Live { key: LIVE_LONG, issued_at: u32::MAX, ttl: 60, ..code };
    let end = Now { earliest: i64::from(u32::MAX), latest: Some(i64::from(u32::MAX)) };
    let about = "Issued in the last second of 32 bits: sums are made in 64 bits and do not wrap.";
    v.live("live-last-second-of-32-bits", "PF 1.1", about, end, last, FRESH);
    let after = Now { earliest: i64::from(u32::MAX) + 1, latest: Some(i64::from(u32::MAX) + 1) };
    let about = "One second on, the key is over, whose end is a 32-bit number.";
    v.live("live-after-32-bits", "PF 7.1", about, after, last, expired(1));
}

fn carried(v: &mut Codes) {
    let code = Carried::default();
    v.carried("carried-fresh", "PF 5.2", "A carried code ten seconds after the phone made it.", at(10), code, FRESH);
    let shortest = Carried { hours: 1, valid_from: NOW - 3600, ..code };
    v.carried("carried-hours-1", "PF 5.3", "The shortest certificate, at its end.", at(0), shortest, FRESH);
    let longest = Carried { hours: 36, valid_from: NOW - 129_600, ..code };
    v.carried("carried-hours-36", "PF 5.3", "The longest certificate, at its end.", at(0), longest, FRESH);
    let about = "The certificate is over, though the code was made while it was good.";
    v.carried("carried-certificate-over", "PF 7.1", about, at(1), longest, expired(1));
    let coming = Carried { valid_from: NOW + 100, made_at: NOW + 100, ..code };
    let about = "The certificate has not begun.";
    v.carried("carried-certificate-not-begun", "PF 7.2", about, at(40), coming, ahead(60));
    v.carried("carried-first-second", "PF 7.3", "Made and shown in the first second.", at(100), coming, FRESH);
    let specimen = Carried { flags: 1, ..code };
    v.carried("carried-specimen", "PF 2.5", "A carried specimen verifies, with its flag.", at(10), specimen, FRESH);
    let ending = Carried { key: CERTIFICATE_ENDING, made_at: NOW + 300, ..code };
    v.carried("carried-key-last-second", "PF 7.1", "The last second of the signing key.", at(300), ending, FRESH);
    let about = "The signing key's validity ends before the certificate's.";
    v.carried("carried-key-over", "PF 7.1", about, at(301), ending, expired(1));
    let about = "The clock may be just before the certificate's start.";
    v.carried("carried-clock-spans-start", "PF 7.6", about, between(99, 101), coming, UNCERTAIN);
    let about = "The clock may be just after the certificate's end.";
    v.carried("carried-clock-spans-end", "PF 7.6", about, between(-1, 1), longest, UNCERTAIN);
    v.carried("carried-floor-only", "PF 7.6", "With a lower bound only.", not_before(0), code, UNCERTAIN);
    let about = "A lower bound proves that more than ten minutes have passed.";
    v.carried("carried-floor-only-over", "PF 7.3", about, not_before(605), code, expired(5));
}

fn carried_phone_clock(v: &mut Codes) {
    let code = Carried::default();
    let about = "Made exactly ten minutes ago.";
    v.carried("carried-made-600-s-ago", "PF 7.3", about, at(600), code, FRESH);
    let about = "Made ten minutes and a second ago: a slow phone and an old picture look alike.";
    v.carried("carried-made-601-s-ago", "PF 7.3", about, at(601), code, expired(1));
    v.carried("carried-made-600-s-ahead", "PF 7.3", "The phone is ten minutes fast.", at(-600), code, FRESH);
    let about = "The phone is ten minutes and a second fast.";
    v.carried("carried-made-601-s-ahead", "PF 7.3", about, at(-601), code, phone(601));
    let about = "The age is at most ten minutes at both ends of the interval.";
    v.carried("carried-clock-600-s-both-ways", "PF 7.3", about, between(-600, 600), code, FRESH);
    let about = "The age may be over ten minutes.";
    v.carried("carried-clock-maybe-old", "PF 7.6", about, between(0, 601), code, UNCERTAIN);
    let about = "The phone may be over ten minutes fast.";
    v.carried("carried-clock-maybe-fast", "PF 7.6", about, between(-601, 0), code, UNCERTAIN);
    let about = "Certainly fast: by 610 s at least.";
    v.carried("carried-clock-certainly-fast", "PF 7.3", about, between(-630, -610), code, phone(610));
    let early = Carried { valid_from: NOW, made_at: NOW - 1, ..code };
    let about = "Made before the certificate: that phone's clock is slow, whatever ours says.";
    v.carried("carried-made-before-certificate", "PF 7.3", about, at(10), early, phone(-11));
    let about = "The same with a lower bound only: the phone is at least as slow as the certificate shows.";
    v.carried("carried-made-before-certificate-floor-only", "PF 7.3", about, not_before(10), early, phone(-1));
    let first = Carried { valid_from: NOW, made_at: NOW, ..code };
    v.carried("carried-made-with-certificate", "PF 7.3", "Made in its first second.", at(10), first, FRESH);
    let window = Carried { valid_from: NOW - 3600, hours: 1, ..code };
    v.carried("carried-made-in-last-second", "PF 7.3", "Made and shown in the last second.", at(0), window, FRESH);
    let late = Carried { made_at: NOW + 1, ..window };
    let about = "Made after the certificate's end and shown before it: that phone's clock is fast.";
    v.carried("carried-made-after-certificate", "PF 7.3", about, at(0), late, phone(1));
    let later = Carried { made_at: NOW + 5, ..window };
    let about = "The figure is not less than the certificate's end shows.";
    v.carried("carried-made-after-certificate-uncertain", "PF 7.3", about, between(-10, 100), later, phone(5));
    let about = "With a lower bound only, that figure is the one there is.";
    v.carried("carried-made-after-certificate-floor-only", "PF 7.3", about, not_before(-10), later, phone(5));
    let ending = Carried { key: CERTIFICATE_ENDING, made_at: NOW + 310, ..code };
    let about = "Made after the end of the signing key: the figure is that of our clock, which is the greater one.";
    v.carried("carried-made-after-key", "PF 7.3", about, at(200), ending, phone(110));
}

fn printed(v: &mut Codes) {
    let code = Printed::default();
    v.printed("printed-fresh", "PF 6.1", "A printed code in the middle of its window.", at(0), code, FRESH);
    v.printed("printed-at-start", "PF 7.5", "The first second.", at(-86_400), code, FRESH);
    v.printed("printed-at-end", "PF 7.5", "The last second: both ends are inclusive.", at(86_400), code, FRESH);
    v.printed("printed-one-second-early", "PF 7.2", "One second before the start.", at(-86_401), code, ahead(1));
    v.printed("printed-one-second-late", "PF 7.1", "One second after the end.", at(86_401), code, expired(1));
    let short = Printed { valid_from: NOW, valid_to: NOW + 1, ..code };
    v.printed("printed-shortest-window", "PF 6.2", "A window of two instants.", at(1), short, FRESH);
    let group = Printed { entries: 255, building: u16::MAX, category: 255, ..code };
    v.printed("printed-largest-fields", "PF 6.1", "Entries, building and category at most.", at(0), group, FRESH);
    let any = Printed { building: 0, ..code };
    v.printed("printed-any-building", "PF 6.1", "Building 0 stands for any.", at(0), any, FRESH);
    let specimen = Printed { flags: 1, ..code };
    v.printed("printed-specimen", "PF 2.5", "A printed specimen verifies, with its flag.", at(0), specimen, FRESH);
    let about = "Paper was printed beforehand, so here the start does need our clock.";
    v.printed("printed-clock-spans-start", "PF 7.6", about, between(-86_410, -86_390), code, UNCERTAIN);
    let about = "The clock may be just after the end.";
    v.printed("printed-clock-spans-end", "PF 7.6", about, between(86_390, 86_410), code, UNCERTAIN);
    v.printed("printed-floor-only", "PF 7.6", "With a lower bound only.", not_before(0), code, UNCERTAIN);
    v.printed(
        "printed-floor-only-over",
        "PF 7.1",
        "A lower bound proves it over.",
        not_before(86_405),
        code,
        expired(5),
    );
    let forever = Printed { key: PRINTED_LONG, valid_from: 0, valid_to: u32::MAX, ..code };
    v.printed("printed-longest-window", "PF 6.1", "All of the time 32 bits can say.", at(0), forever, FRESH);
}
