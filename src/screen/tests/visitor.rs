//! Somebody without a code, as a guard enters them.

use tongguan_pass::{Document, DocumentKind};

use super::samples::{deny, nobody_on_duty, wang_on_duty};
use super::*;

fn page() -> Page {
    let page = Page::new((800, 480), Language::En);
    page.guards(wang_on_duty());
    page.touch("", "No phone");
    page.wait(A_MOMENT);
    page
}

fn touch(page: &Page, label: &str) {
    page.touch("", label);
    page.wait(A_MOMENT);
}

fn keys(page: &Page, text: &str) {
    text.chars().for_each(|key| page.touch("", &key.to_string()));
}

fn visits(page: &Page) -> Vec<Visit> {
    let visit = |wish| if let Request::Visit(visit) = wish { Some(visit) } else { None };
    page.wishes().into_iter().filter_map(visit).collect()
}

fn told(page: &Page, visiting: Visiting) {
    page.deliver(Mail { visiting: Some(visiting), ..Mail::default() });
    page.wait(A_MOMENT);
}

fn said(page: &Page) -> String {
    page.stage.window().global::<ui::Visitor>().get_said().en.into()
}

fn number(page: &Page) -> String {
    page.stage.window().global::<ui::Visitor>().get_number().into()
}

#[test]
fn a_card_is_tested_as_it_is_typed_and_looked_up_once_it_is_whole() {
    let page = page();
    keys(&page, "440308199913");
    assert_eq!(said(&page), "", "it is not over yet");
    keys(&page, "01");
    assert_eq!(said(&page), "The date of birth is wrong: check it");
    (0..4).for_each(|_| page.touch("", "Delete"));
    keys(&page, "01101513");
    assert_eq!(said(&page), "One digit is mistyped: check the number");
    touch(&page, "Look up");
    assert_eq!(visits(&page), [], "it is not whole");
    page.touch("", "Delete");
    keys(&page, "2");
    assert_eq!((said(&page).as_str(), number(&page).as_str()), ("", "440308 19990110 1512"));
    touch(&page, "One person more");
    touch(&page, "Look up");
    let document = Document::parse(DocumentKind::ResidentId, "440308199901101512").ok();
    assert_eq!(visits(&page), [Visit { document, people: 2 }]);
    // Its answer is a verdict, and nothing is left.
    page.show(deny());
    assert_eq!(number(&page), "");
    page.wait(Duration::from_secs(10));
    assert!(page.has("No phone"));
}

#[test]
fn another_document_or_none_and_whom_they_come_with() {
    let page = page();
    touch(&page, "Resident identity card");
    touch(&page, "Passport");
    touch(&page, "Letters");
    keys(&page, "E");
    touch(&page, "Digits");
    keys(&page, "12345678");
    assert_eq!(number(&page), "E12345678");
    touch(&page, "Comes with");
    assert!(page.wishes().iter().any(|wish| matches!(wish, Request::Companion(true))));
    let expired = Text::new("已过期", "Expired");
    told(&page, Visiting { companion: Some((expired, false)), said: None });
    assert!(!page.has("Look up"), "another code may be shown");
    told(&page, Visiting { companion: Some((Text::new("周*", "周*"), true)), said: None });
    assert_eq!(number(&page), "E12345678");
    touch(&page, "Passport");
    touch(&page, "No document");
    touch(&page, "Ask the gate");
    assert_eq!(visits(&page), [Visit { document: None, people: 1 }]);
    // The lane could not ask.
    told(&page, Visiting { companion: None, said: Some(Text::new("请稍候", "Busy")) });
    assert_eq!(said(&page), "Busy");
    touch(&page, "Back");
    assert!(page.has("No phone"));
    assert!(page.wishes().iter().any(|wish| matches!(wish, Request::Companion(false))));
}

#[test]
fn a_verdict_in_between_loses_nothing_and_nothing_stays_for_the_next_one() {
    let page = page();
    keys(&page, "4403");
    page.show(deny());
    assert!(page.has("Look up"), "a hand at work is not thrown out");
    page.wait(Duration::from_secs(6));
    page.show(deny());
    assert!(!page.has("Look up"));
    page.wait(Duration::from_secs(5));
    assert_eq!(number(&page), "4403");
    keys(&page, "08");
    assert_eq!(number(&page), "440308");
    touch(&page, "Back");
    touch(&page, "No phone");
    assert_eq!(number(&page), "");
    keys(&page, "44");
    page.wait(Duration::from_secs(70));
    assert_eq!(number(&page), "", "nobody is left standing there");
    assert!(page.has("No phone"));
}

#[test]
fn whoever_may_not_decide_logs_in_first() {
    let page = Page::new((800, 480), Language::En);
    page.guards(nobody_on_duty());
    touch(&page, "No phone");
    assert!(page.has("王建国") && !page.has("Look up"));
    page.guards(Guards::default());
    touch(&page, "Back");
    touch(&page, "No phone");
    assert!(page.has("Look up"), "where nobody has a PIN, whoever stands there decides");
}
