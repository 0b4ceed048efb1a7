//! The file as people write it: what is right is read, what is wrong is named with its line.

use super::*;

const START: &str = "utc_offset = \"+08:00\"\n";

fn wrong(rest: &str) -> String {
    parse(&format!("{START}{rest}")).expect_err(rest)
}

#[test]
fn the_documented_example_is_read_and_written_back_the_same() {
    let example = parse(include_str!("../../policy.example.toml")).expect("the example is good");
    assert!(example.editions().len() > 2);
    assert_eq!(parse(&write(&example)), Ok(example));
}

#[test]
fn the_example_names_every_key() {
    let text = include_str!("../../policy.example.toml");
    let edition = Edition { effective_from: 1, ..Edition::built_in() };
    let all = write(&Policy::new(480, vec![], vec![edition]).expect("good"));
    for key in all.lines().filter_map(|l| l.split_once(" = ").map(|(key, _)| key)) {
        assert!(text.contains(&format!("{key} = ")), "{key}");
    }
}

#[test]
fn what_is_left_out_is_the_widest() {
    let policy =
        parse(&format!("{START}[[policy]]\ncommunity = 7\n[[policy.rule]]\nwho = \"own\"\nanswer = \"pass\"\n"));
    let edition = Edition { community: 7, ..Edition::built_in() };
    assert_eq!(policy, Ok(Policy::new(480, vec![], vec![edition]).expect("good")));
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let rule = "[[policy]]\ncommunity = 1\n[[policy.rule]]\nwho = \"own\"\nanswer = \"pass\"\n";
    for (text, line, hint) in [
        ("surge = 1\n".to_owned(), "line 2", "unknown field `surge`"),
        ("[[policy]]\ncomunity = 1\n".to_owned(), "line 3", "expected one of `community`"),
        ("[[policy]]\nfrom = 2026-01-01\ncommunity = 1\n".to_owned(), "line 3", "2026-01-31T00:00:00Z"),
        ("[[policy]]\nfrom = \"tomorrow\"\ncommunity = 1\n".to_owned(), "line 3", "2026-01-31T08:00:00+08:00"),
        ("[[policy]]\nlists_deny_after_h = -1\ncommunity = 1\n".to_owned(), "line 3", "never"),
        (format!("{rule}hours = \"6-22\"\n"), "line 7", "06:00-22:00"),
        (format!("{rule}hours = \"06:00-06:00\"\n"), "line 7", "06:00-22:00"),
        (format!("{rule}hours = \"06:00-24:01\"\n"), "line 7", "06:00-22:00"),
        (format!("{rule}days = [\"monday\"]\n"), "line 7", "write mon, tue"),
        (format!("{rule}days = []\n"), "line 7", "leave days out"),
        (format!("{rule}categories = 256\n"), "line 7", "0 to 255"),
        (format!("{rule}categories = \"5-2\"\n"), "line 7", "2-5"),
        (rule.replace("own", "friends"), "line 5", "expected `any` or `own`"),
        (rule.replace("pass", "open"), "line 6", "`confirm`"),
        (format!("{rule}{rule}"), "line 7", "is there twice"),
        (
            "[[policy]]\ncommunity = 0\nlists_confirm_after_h = 9\nlists_deny_after_h = 8\n".to_owned(),
            "line 2",
            "lists_deny_after_h must not be less",
        ),
        (format!("[[policy]]\ncommunity = 1\n{}", &rule[25..].repeat(33)), "line 2", "33 rules"),
    ] {
        let said = wrong(&text);
        assert!(said.contains(line) && said.contains(hint), "{text}\n{said}");
    }
    assert!(parse("utc_offset = \"8\"\n").expect_err("no offset").contains("+08:00"));
    let many: String =
        (1..18).map(|n| format!("[[policy]]\ncommunity = 1\nfrom = 2026-01-{n:02}T00:00:00Z\n")).collect();
    assert!(wrong(&many).contains("line 50") && wrong(&many).contains("at most 16"), "{}", wrong(&many));
}

#[test]
fn hours_are_read_to_the_end_of_the_day_and_over_midnight() {
    let hours = |text: &str| DayHours::try_from(text.to_owned()).map(|h| (h.0, h.1));
    assert_eq!(hours("00:00-24:00"), Ok((0, 1_440)));
    assert_eq!(hours("22:00-00:00"), Ok((1_320, 1_440)));
    assert_eq!(hours("22:00 - 06:30"), Ok((1_320, 390)));
    for wrong in ["", "24:00-06:00", "6:00-22:00", "06:60-22:00", "+6:00-22:00", "00:00-00:0０"] {
        assert!(hours(wrong).is_err(), "{wrong}");
    }
}
