//! Vectors of policies: files good and bad, and what they answer (SY 12); and of live codes in a surge (PF 7.7).

use super::codes::{Codes, verified};
use super::make::{LIVE_ENDING, Live, NOW, hex};
use super::schema::{Ask, CodeVector, Lists, Now, PolicyExpect, PolicyVector, ShownEdition, ShownRule, ShownSurge};

/// Monday 2026-09-21 00:00 in UTC+8. [`NOW`] is 22:13:20 on that day there.
const MONDAY: i64 = NOW as i64 - 22 * HOUR - 13 * 60 - 20;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// SY 12.6.
#[derive(Clone, Copy)]
struct Rule {
    categories: (u8, u8),
    who: u8,
    days: u8,
    hours: (u16, u16),
    answer: u8,
}

const ANY: Rule = Rule { categories: (0, 255), who: 0, days: 127, hours: (0, 1440), answer: 1 };
const OWN: Rule = Rule { who: 1, ..ANY };
const CONFIRM: u8 = 2;
const DENY: u8 = 3;

/// SY 12.4.
#[derive(Clone)]
struct Edition {
    community: u32,
    from: i64,
    lists: (u16, u16),
    rules: Vec<Rule>,
}

fn edition(community: u32, rules: &[Rule]) -> Edition {
    Edition { community, from: MONDAY - 7 * DAY, lists: (24, 72), rules: rules.to_vec() }
}

/// SY 12.1.
#[derive(Clone)]
struct Policy {
    utc_offset: i16,
    surges: Vec<(i64, i64, u8)>,
    editions: Vec<Edition>,
}

fn seconds(at: i64) -> [u8; 4] {
    u32::try_from(at).expect("a time").to_be_bytes()
}

impl Policy {
    fn of(editions: &[Edition]) -> Self {
        Self { utc_offset: 480, surges: vec![], editions: editions.to_vec() }
    }

    fn surging(surges: &[(i64, i64, u8)]) -> Self {
        Self { surges: surges.to_vec(), ..Self::of(&[]) }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut b = b"TGP1".to_vec();
        b.extend(self.utc_offset.to_be_bytes());
        b.push(u8::try_from(self.surges.len()).expect("few"));
        for (from, until, minutes) in &self.surges {
            b.extend([seconds(*from), seconds(*until)].concat());
            b.push(*minutes);
        }
        b.extend(u16::try_from(self.editions.len()).expect("few").to_be_bytes());
        for e in &self.editions {
            b.extend(e.community.to_be_bytes());
            b.extend(seconds(e.from));
            b.extend([e.lists.0.to_be_bytes(), e.lists.1.to_be_bytes()].concat());
            b.push(u8::try_from(e.rules.len()).expect("few"));
            for r in &e.rules {
                b.extend([r.categories.0, r.categories.1, r.who, r.days]);
                b.extend([r.hours.0.to_be_bytes(), r.hours.1.to_be_bytes()].concat());
                b.push(r.answer);
            }
        }
        b
    }

    fn shown(&self) -> PolicyExpect {
        let time = |at: i64| u32::try_from(at).expect("a time");
        let surge = |s: &(i64, i64, u8)| ShownSurge { from: time(s.0), until: time(s.1), minutes: s.2 };
        let rule = |r: &Rule| ShownRule {
            first: r.categories.0,
            last: r.categories.1,
            who: ["any", "own"][usize::from(r.who)].into(),
            days: r.days,
            from: r.hours.0,
            until: r.hours.1,
            answer: ["pass", "confirm", "deny"][usize::from(r.answer - 1)].into(),
        };
        let edition = |e: &Edition| ShownEdition {
            community: e.community,
            effective_from: time(e.from),
            lists_confirm_after: e.lists.0,
            lists_deny_after: e.lists.1,
            rules: e.rules.iter().map(rule).collect(),
        };
        PolicyExpect::Policy {
            utc_offset: self.utc_offset,
            surges: self.surges.iter().map(surge).collect(),
            editions: self.editions.iter().map(edition).collect(),
        }
    }
}

#[derive(Default)]
struct Policies(Vec<PolicyVector>);

impl Policies {
    fn push(&mut self, name: &str, clause: &str, about: &str, file: &[u8], ask: Option<Ask>, expect: PolicyExpect) {
        let (name, about, clause) = (format!("policy-{name}"), about.into(), clause.into());
        self.0.push(PolicyVector { name, about, clause, file: hex(file), ask, expect });
    }

    fn good(&mut self, name: &str, clause: &str, about: &str, policy: &Policy) {
        self.push(name, clause, about, &policy.bytes(), None, policy.shown());
    }

    fn bad(&mut self, name: &str, clause: &str, about: &str, file: &[u8], error: &str, field: Option<&str>) {
        let expect = PolicyExpect::Refused { error: error.into(), field: field.map(Into::into) };
        self.push(name, clause, about, file, None, expect);
    }

    fn ask(&mut self, name: &str, clause: &str, about: &str, policy: &Policy, ask: Ask, then: (&str, Option<i64>)) {
        let lists = Lists { confirm_after: 24, deny_after: 72 };
        self.ask_with_lists(name, clause, about, policy, (ask, then, lists));
    }

    fn ask_with_lists(
        &mut self,
        name: &str,
        clause: &str,
        about: &str,
        policy: &Policy,
        (ask, (admission, opens), lists): (Ask, (&str, Option<i64>), Lists),
    ) {
        let expect = PolicyExpect::Answer { admission: admission.into(), opens, lists };
        self.push(name, clause, about, &policy.bytes(), Some(ask), expect);
    }
}

/// Somebody of category 1 and community 1 at a gate of community 1.
fn at(moment: i64) -> Ask {
    between(moment, Some(moment))
}

fn between(earliest: i64, latest: Option<i64>) -> Ask {
    Ask { communities: vec![1], category: 1, community: 1, now: Now { earliest, latest } }
}

fn stranger(moment: i64) -> Ask {
    Ask { community: 2, ..at(moment) }
}

pub(crate) fn all() -> Vec<PolicyVector> {
    let mut all = Policies::default();
    files(&mut all);
    broken_files(&mut all);
    hours(&mut all);
    places(&mut all);
    times(&mut all);
    all.0
}

fn files(all: &mut Policies) {
    all.good("empty", "SY 12.1", "A policy with nothing in it.", &Policy::of(&[]));
    let night = Rule { days: 0b110_0000, hours: (1320, 360), answer: CONFIRM, ..OWN };
    let visitors = Rule { categories: (7, 9), hours: (480, 1200), days: 31, ..ANY };
    let full = Policy {
        utc_offset: 480,
        surges: vec![(MONDAY, MONDAY, 11), (MONDAY + 1, MONDAY + 7 * DAY + 1, 60)],
        editions: vec![
            Edition { from: 0, lists: (0, 0), ..edition(0, &[]) },
            edition(1, &[night, visitors, OWN]),
            Edition { from: MONDAY, lists: (65_535, 65_535), ..edition(1, &[OWN]) },
            edition(u32::MAX, &[Rule { answer: DENY, ..ANY }]),
        ],
    };
    all.good("full", "SY 12.1", "A policy with something of everything.", &full);
    all.good("offset-least", "SY 12.2", "The greatest offset west.", &Policy { utc_offset: -720, ..Policy::of(&[]) });
    all.good("offset-most", "SY 12.2", "The greatest offset east.", &Policy { utc_offset: 840, ..Policy::of(&[]) });
    let surges: Vec<_> = (0..16).map(|n| (MONDAY + n * 10, MONDAY + n * 10 + 9, 60)).collect();
    all.good("surges-16", "SY 12.3", "As many surges as there may be.", &Policy::surging(&surges));
    let many: Vec<_> = (0..16).map(|n| Edition { from: n, ..edition(1, &[]) }).collect();
    all.good("editions-16", "SY 12.4", "As many editions as a community may have.", &Policy::of(&many));
    all.good("rules-32", "SY 12.4", "As many rules as there may be.", &Policy::of(&[edition(1, &[OWN; 32])]));
}

fn broken_files(all: &mut Policies) {
    let good = Policy { surges: vec![(MONDAY, MONDAY + 60, 60)], ..Policy::of(&[edition(1, &[OWN])]) };
    let bytes = good.bytes();
    let magic = [b"TGL1", &bytes[4..]].concat();
    all.bad("magic", "SY 12.1", "The magic of another file.", &magic, "magic", None);
    all.bad("no-bytes", "SY 12.1", "Not even a magic.", &[], "magic", None);
    let cut = &bytes[..bytes.len() - 1];
    all.bad("cut", "SY 12.1", "The last byte is missing.", cut, "length", None);
    all.bad("longer", "SY 12.1", "A byte after the last edition.", &[&bytes[..], &[0]].concat(), "length", None);
    all.bad("cut-in-surge", "SY 12.1", "It ends inside a surge.", &bytes[..10], "length", None);
    let offset = |utc_offset| Policy { utc_offset, ..good.clone() }.bytes();
    all.bad("offset-721", "SY 12.2", "One minute too far west.", &offset(-721), "field", Some("utc_offset"));
    all.bad("offset-841", "SY 12.2", "One minute too far east.", &offset(841), "field", Some("utc_offset"));

    let surges = |surges: &[(i64, i64, u8)]| Policy::surging(surges).bytes();
    let many: Vec<_> = (0..17).map(|n| (MONDAY + n * 10, MONDAY + n * 10 + 9, 60)).collect();
    all.bad("surges-17", "SY 12.3", "One surge too many.", &surges(&many), "field", Some("surge count"));
    let ended = surges(&[(MONDAY, MONDAY - 1, 60)]);
    all.bad("surge-backwards", "SY 12.3", "A surge that ends before it begins.", &ended, "field", Some("surge"));
    let long = surges(&[(MONDAY, MONDAY + 7 * DAY + 1, 60)]);
    all.bad("surge-8-days", "SY 12.3", "A surge of a second more than 7 days.", &long, "field", Some("surge"));
    for minutes in [10, 61] {
        let file = surges(&[(MONDAY, MONDAY + 60, minutes)]);
        let name = format!("surge-{minutes}-minutes");
        all.bad(&name, "SY 12.3", "As many minutes as a surge may not have.", &file, "field", Some("surge minutes"));
    }
    let joined = surges(&[(MONDAY, MONDAY + 60, 60), (MONDAY + 60, MONDAY + 90, 30)]);
    all.bad("surges-overlap", "SY 12.3", "A surge begins in the one before.", &joined, "order", None);
    let swapped = surges(&[(MONDAY + 100, MONDAY + 160, 60), (MONDAY, MONDAY + 60, 60)]);
    all.bad("surges-swapped", "SY 12.3", "The later surge first.", &swapped, "order", None);

    let of = |editions: &[Edition]| Policy::of(editions).bytes();
    let one = edition(1, &[OWN]);
    all.bad("edition-twice", "SY 12.4", "One edition twice.", &of(&[one.clone(), one.clone()]), "order", None);
    let swapped = of(&[one.clone(), Edition { from: one.from - 1, ..one.clone() }]);
    all.bad("editions-swapped", "SY 12.4", "The later edition first.", &swapped, "order", None);
    let swapped = of(&[one.clone(), edition(0, &[OWN])]);
    all.bad("communities-swapped", "SY 12.4", "Community 1 before community 0.", &swapped, "order", None);
    let many: Vec<_> = (0..17).map(|n| Edition { from: n, ..edition(1, &[]) }).collect();
    let field = Some("editions of a community");
    all.bad("editions-17", "SY 12.4", "One edition of a community too many.", &of(&many), "field", field);
    let lists = of(&[Edition { lists: (25, 24), ..one }]);
    let field = Some("lists_deny_after");
    all.bad("deny-before-confirm", "SY 12.4", "Lists refuse before they ask.", &lists, "field", field);
    let many = of(&[edition(1, &[OWN; 33])]);
    all.bad("rules-33", "SY 12.4", "One rule too many.", &many, "field", Some("rule count"));

    let rules: [(&str, &str, &str, Rule); 12] = [
        (
            "categories-backwards",
            "The last category is before the first.",
            "categories",
            Rule { categories: (2, 1), ..OWN },
        ),
        ("who-2", "A who that nobody knows.", "who", Rule { who: 2, ..OWN }),
        ("no-day", "Hours that begin on no day.", "days", Rule { days: 0, ..OWN }),
        ("day-8", "An eighth day.", "days", Rule { days: 255, ..OWN }),
        ("from-1440", "Hours that begin at the end of the day.", "hours", Rule { hours: (1440, 60), ..OWN }),
        ("until-0", "Midnight as an end is 1440, not 0.", "hours", Rule { hours: (600, 0), ..OWN }),
        ("until-1441", "Hours that end after the day's end.", "hours", Rule { hours: (600, 1441), ..OWN }),
        ("hours-equal", "Hours that end when they begin.", "hours", Rule { hours: (600, 600), ..OWN }),
        ("from-65535", "A start far after the day's end.", "hours", Rule { hours: (65_535, 600), ..OWN }),
        ("answer-0", "An answer that nobody knows.", "answer", Rule { answer: 0, ..OWN }),
        ("answer-4", "Another answer that nobody knows.", "answer", Rule { answer: 4, ..OWN }),
        ("who-255", "Another who that nobody knows.", "who", Rule { who: 255, ..OWN }),
    ];
    for (name, about, field, rule) in rules {
        all.bad(&format!("rule-{name}"), "SY 12.6", about, &of(&[edition(1, &[rule])]), "field", Some(field));
    }
}

/// Category 1 may enter from 06:00 to 22:00 on working days.
fn hours(all: &mut Policies) {
    let working = Policy::of(&[edition(1, &[Rule { days: 31, hours: (360, 1320), ..OWN }])]);
    let six = MONDAY + 6 * HOUR;
    let closed = |opens: i64| ("outside_hours", Some(opens));
    let pass = ("pass", None);
    let first = "The first second of the hours.";
    all.ask("hours-first-second", "SY 12.6", first, &working, at(six), pass);
    all.ask("hours-second-before", "SY 12.9", "A second before the hours.", &working, at(six - 1), closed(six));
    let end = MONDAY + 22 * HOUR;
    all.ask("hours-last-second", "SY 12.6", "The last second of the hours.", &working, at(end - 1), pass);
    let over = "The hours end before their last minute.";
    all.ask("hours-over", "SY 12.9", over, &working, at(end), closed(six + DAY));
    let about = "After Friday's hours the next are on Monday.";
    all.ask("hours-weekend", "SY 12.9", about, &working, at(end + 4 * DAY), closed(six + 7 * DAY));
    let about = "An interval that ends with the hours.";
    all.ask("hours-interval-inside", "SY 12.8", about, &working, between(six, Some(end - 1)), pass);
    let about = "An interval that reaches the end of the hours.";
    all.ask("hours-interval-end", "SY 12.8", about, &working, between(six, Some(end)), ("clock_uncertain", None));
    let about = "An interval from evening to evening, with hours between.";
    let evenings = between(end, Some(end + DAY));
    all.ask("hours-interval-between", "SY 12.8", about, &working, evenings, ("clock_uncertain", None));
    let about = "With no upper bound there are hours to come and hours without.";
    all.ask("hours-no-bound", "SY 12.8", about, &working, between(six, None), ("clock_uncertain", None));

    let night = Policy::of(&[edition(1, &[Rule { days: 0b001_0000, hours: (1320, 360), ..OWN }])]);
    let friday = MONDAY + 4 * DAY;
    let saturday = friday + DAY;
    all.ask("night-begun", "SY 12.6", "Friday night, before midnight.", &night, at(friday + 22 * HOUR), pass);
    let about = "Friday's hours reach into Saturday.";
    all.ask("night-after-midnight", "SY 12.6", about, &night, at(saturday + 6 * HOUR - 1), pass);
    let about = "Friday's early morning belongs to Thursday's hours.";
    all.ask("night-not-its-day", "SY 12.9", about, &night, at(friday + HOUR), closed(friday + 22 * HOUR));
    let about = "The night is over on Saturday morning; the next is in a week.";
    let next = friday + 7 * DAY + 22 * HOUR;
    all.ask("night-over", "SY 12.9", about, &night, at(saturday + 6 * HOUR), closed(next));

    let west = Policy { utc_offset: -720, ..working.clone() };
    let about = "The same moment elsewhere: Sunday 18:00 in UTC-12.";
    all.ask("offset-other-day", "SY 12.2", about, &west, at(six + 8 * HOUR), closed(six + 20 * HOUR));
    let about = "Before 1970 there were days of the week too.";
    let early = Ask { now: Now { earliest: -3 * DAY - 8 * HOUR + 6 * HOUR, latest: Some(-3 * DAY - HOUR) }, ..at(0) };
    let lists = Lists { confirm_after: 168, deny_after: 65_535 };
    all.ask_with_lists("before-1970", "SY 12.5", about, &working, (early, pass, lists));
    let confirm = Policy::of(&[edition(1, &[Rule { answer: CONFIRM, hours: (0, 360), ..OWN }, OWN])]);
    let about = "The first rule that applies decides: the guard.";
    all.ask("first-rule", "SY 12.6", about, &confirm, at(six - 1), ("guard_check", None));
    all.ask("second-rule", "SY 12.6", "Where the first rule is over the second one does.", &confirm, at(six), pass);
    let about = "To pass or to be looked at: the guard is asked as the clock cannot tell.";
    all.ask("pass-or-confirm", "SY 12.8", about, &confirm, between(six - 1, Some(six)), ("clock_uncertain", None));
    let about = "A rule that refuses ends: people are let in after it.";
    let deny = Policy::of(&[edition(1, &[Rule { answer: DENY, hours: (0, 360), ..ANY }, OWN])]);
    all.ask("deny-ends", "SY 12.9", about, &deny, at(six - 60), closed(six));
}

fn places(all: &mut Policies) {
    let own = Policy::of(&[edition(1, &[OWN])]);
    let now = i64::from(NOW);
    all.ask("own", "SY 12.7", "A resident of the gate's community.", &own, at(now), ("pass", None));
    let wrong = ("wrong_place", None);
    all.ask("other", "SY 12.9", "A resident of another community.", &own, stranger(now), wrong);
    let about = "The policy is of the gate's community, not of the code's.";
    let policy = Policy::of(&[edition(1, &[OWN]), edition(2, &[ANY])]);
    all.ask("other-with-own-policy", "SY 12.7", about, &policy, stranger(now), wrong);
    let about = "With no upper bound it is certain too.";
    let open = Ask { community: 2, ..between(now, None) };
    all.ask("other-no-bound", "SY 12.8", about, &own, open, wrong);
    let nobody = Policy::of(&[edition(1, &[])]);
    let refused = ("not_admitted", None);
    all.ask("no-rules", "SY 12.6", "An edition without rules lets nobody in.", &nobody, at(now), refused);
    let some = Policy::of(&[edition(1, &[Rule { categories: (2, 255), ..ANY }])]);
    all.ask("category", "SY 12.9", "No rule is about this category.", &some, at(now), refused);
    let last = Ask { category: 255, ..at(now) };
    all.ask("category-last", "SY 12.6", "The last category is included.", &some, last, ("pass", None));
    let visits = Policy::of(&[edition(1, &[Rule { hours: (480, 1200), ..ANY }, OWN])]);
    let about = "Others have hours too, so the hour is what they are told.";
    let opens = ("outside_hours", Some(MONDAY + DAY + 8 * HOUR));
    all.ask("visiting-hours", "SY 12.9", about, &visits, stranger(now), opens);
    let about = "Residents have other hours, others none.";
    let day = Policy::of(&[edition(1, &[Rule { hours: (480, 1200), ..OWN }])]);
    all.ask("wrong-place-at-night", "SY 12.9", about, &day, stranger(now), wrong);

    let two = Policy::of(&[edition(1, &[]), Edition { lists: (48, 60), ..edition(2, &[OWN]) }]);
    let both = |ask: Ask| Ask { communities: vec![1, 2], ..ask };
    let about = "Of two communities one lets in, with the later hours for its lists.";
    let lists = || Lists { confirm_after: 48, deny_after: 72 };
    all.ask_with_lists("two-communities", "SY 12.7", about, &two, (both(at(now)), ("pass", None), lists()));
    let about = "Of two communities one asks the guard and one may or may not let in.";
    let ask_or_pass = Policy::of(&[
        edition(1, &[Rule { answer: CONFIRM, ..ANY }]),
        edition(2, &[Rule { hours: (360, 1320), ..ANY }]),
    ]);
    let evening = both(between(MONDAY + 22 * HOUR - 1, Some(MONDAY + 22 * HOUR)));
    all.ask("two-uncertain", "SY 12.8", about, &ask_or_pass, evening, ("clock_uncertain", None));
    let about = "At night one community still asks the guard.";
    all.ask("two-guard", "SY 12.8", about, &ask_or_pass, both(at(now)), ("guard_check", None));
    let everybody = |ask: Ask| Ask { communities: vec![], ..ask };
    let about = "A gate that is told no community: everybody is a resident, and community 0 says what holds.";
    let general = Policy::of(&[edition(0, &[OWN]), edition(1, &[])]);
    all.ask("no-community", "SY 12.7", about, &general, everybody(stranger(now)), ("pass", None));
}

fn times(all: &mut Policies) {
    let now = i64::from(NOW);
    let pass = ("pass", None);
    let tomorrow = MONDAY + DAY + 6 * HOUR;
    let later = Edition { from: tomorrow, lists: (1, 2), ..edition(1, &[]) };
    let closing = Policy::of(&[edition(1, &[OWN]), later.clone()]);
    let about = "Closed from 06:00 tomorrow, and it is not tomorrow yet.";
    all.ask("not-yet-in-effect", "SY 12.5", about, &closing, at(tomorrow - 1), pass);
    let lists = Lists { confirm_after: 1, deny_after: 2 };
    let refused = ("not_admitted", None);
    let about = "Closed from 06:00, which it is.";
    all.ask_with_lists("in-effect", "SY 12.5", about, &closing, (at(tomorrow), refused, lists));
    let lists = || Lists { confirm_after: 1, deny_after: 72 };
    let about = "It may be 06:00 already: asking about lists begins as early, refusing as late as it may.";
    let perhaps = between(tomorrow - 1, Some(tomorrow));
    let uncertain = ("clock_uncertain", None);
    all.ask_with_lists("perhaps-in-effect", "SY 12.10", about, &closing, (perhaps, uncertain, lists()));
    let about = "With no upper bound every edition to come counts.";
    all.ask_with_lists("no-bound", "SY 12.8", about, &closing, (between(now, None), uncertain, lists()));
    let opening = Policy::of(&[edition(1, &[]), Edition { rules: vec![OWN], from: tomorrow, ..later }]);
    let about = "Closed until the next edition opens.";
    all.ask("opens-with-edition", "SY 12.9", about, &opening, at(now), ("outside_hours", Some(tomorrow)));
    let about = "It opens with the last second of the week to come.";
    let week = at(tomorrow - 7 * DAY);
    all.ask("opens-in-a-week", "SY 12.9", about, &opening, week, ("outside_hours", Some(tomorrow)));
    let about = "It opens a second later than the week to come.";
    all.ask("opens-after-a-week", "SY 12.9", about, &opening, at(tomorrow - 7 * DAY - 1), ("not_admitted", None));
    let general = Edition { from: MONDAY, ..edition(0, &[]) };
    let own = Edition { from: tomorrow, ..edition(1, &[OWN]) };
    let policy = Policy::of(&[general, own]);
    let about = "Before its own first edition a community has those of community 0.";
    all.ask("general-first", "SY 12.5", about, &policy, at(tomorrow - 1), ("outside_hours", Some(tomorrow)));
    all.ask("own-then", "SY 12.5", "Then it has its own.", &policy, at(tomorrow), pass);
    let lists = || Lists { confirm_after: 168, deny_after: 65_535 };
    let about = "Before any edition the built-in one holds.";
    all.ask_with_lists("built-in", "SY 12.5", about, &policy, (at(MONDAY - 1), pass, lists()));
    let about = "The built-in edition is for own residents.";
    let ask = (stranger(now), ("wrong_place", None), lists());
    all.ask_with_lists("built-in-stranger", "SY 12.5", about, &Policy::of(&[]), ask);
}

/// PF 7.7: the live code of [`NOW`] is good for ten minutes.
pub(crate) fn codes() -> Vec<CodeVector> {
    let mut codes = Codes::default();
    let now = i64::from(NOW);
    let in_it = Policy::surging(&[(now, now + 7_200, 60)]);
    let between = |earliest: i64, latest: Option<i64>| Now {
        earliest: now + earliest,
        latest: latest.map(|latest| now + latest),
    };
    let exactly = |at: i64| between(at, Some(at));
    let mut case = |name: &str, about: &str, policy: &Policy, now: Now, code: Live, then: (&str, Option<i64>)| {
        codes.push(&format!("surge-{name}"), "PF 7.7", about, now, code.text(), verified("live", code.fields(), then));
        let made = codes.0.last_mut().expect("pushed");
        made.policy = Some(hex(&policy.bytes()));
    };
    let (live, fresh, uncertain) = (Live::default(), ("fresh", None), ("clock_uncertain", None));
    case("last-second", "Good to the last of 60 minutes.", &in_it, exactly(3_600), live, fresh);
    case("over", "A second more than 60 minutes.", &in_it, exactly(3_601), live, ("expired", Some(1)));
    let about = "An interval inside the 60 minutes.";
    case("interval", about, &in_it, between(0, Some(3_600)), live, fresh);
    let about = "An interval that reaches beyond the 60 minutes.";
    case("interval-end", about, &in_it, between(3_600, Some(3_601)), live, uncertain);
    case("no-bound", "No upper bound: never fresh.", &in_it, between(0, None), live, uncertain);
    let about = "A code of another 60 minutes gains nothing.";
    case("long-code", about, &in_it, exactly(3_601), Live { ttl: 60, ..live }, ("expired", Some(1)));
    let shorter = Policy::surging(&[(now, now + 7_200, 30)]);
    case("no-shorter", "A surge shortens no code.", &shorter, exactly(3_600), Live { ttl: 60, ..live }, fresh);
    let about = "Not beyond the end of the key, 300 s from now.";
    case("key-over", about, &in_it, exactly(301), Live { key: LIVE_ENDING, ..live }, ("expired", Some(1)));
    let ended = Policy::surging(&[(now, now + 1_800, 60)]);
    case("ended", "The surge is over, and so is the code.", &ended, exactly(1_801), live, ("expired", Some(1)));
    let about = "The surge may be over.";
    case("perhaps-ended", about, &ended, between(1_800, Some(1_801)), live, uncertain);
    let later = Policy::surging(&[(now + 1_200, now + 7_200, 60)]);
    let about = "Over, and the surge has not begun.";
    case("before", about, &later, exactly(1_199), live, ("expired", Some(599)));
    case("good-again", "A surge that begins makes it good again.", &later, exactly(1_200), live, fresh);
    let about = "It may be over, or good again.";
    case("perhaps-good-again", about, &later, between(1_100, Some(1_200)), live, uncertain);
    let about = "Over for a time in the middle of the interval.";
    case("gap-inside", about, &later, between(600, Some(1_200)), live, uncertain);
    let joined = Policy::surging(&[(now + 601, now + 1_800, 30), (now + 1_801, now + 3_000, 60)]);
    let about = "From the code's own time through two surges in one piece.";
    case("joined", about, &joined, between(0, Some(3_000)), live, fresh);
    let about = "The second surge allows fewer minutes than have passed.";
    let fewer = Policy::surging(&[(now, now + 1_800, 60), (now + 1_801, now + 3_000, 20)]);
    case("fewer-minutes", about, &fewer, exactly(1_801), live, ("expired", Some(1)));
    let about = "Issued after now: a surge does not make it begin sooner.";
    let ahead = Live { issued_at: NOW + 60, ..live };
    case("not-begun", about, &in_it, exactly(0), ahead, ("not_yet_valid", Some(60)));

    let carried = super::make::Carried { made_at: NOW - 601, ..Default::default() };
    let expect = verified("carried", carried.fields(), ("expired", Some(1)));
    let about = "A carried code gains nothing by a surge.";
    codes.push("surge-carried", "PF 7.7", about, exactly(0), carried.text(), expect);
    codes.0.last_mut().expect("pushed").policy = Some(hex(&in_it.bytes()));
    let printed = super::make::Printed::default();
    let expect = verified("printed", printed.fields(), ("expired", Some(1)));
    let about = "A printed code gains nothing by a surge.";
    codes.push("surge-printed", "PF 7.7", about, exactly(86_401), printed.text(), expect);
    let policy = Policy::surging(&[(now, now + 2 * DAY, 60)]);
    codes.0.last_mut().expect("pushed").policy = Some(hex(&policy.bytes()));
    codes.0
}
