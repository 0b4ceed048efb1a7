//! What a technician does at the service page, by what is written on the buttons.

use super::samples::{close, deny, inspection, li_on_duty, nobody_on_duty, pass, service, wang_on_duty};
use super::*;
use crate::gate::Output;

fn page() -> Page {
    let page = Page::new((800, 480), Language::En);
    page.guards(li_on_duty());
    touch_each(&page, &["Guard", "Service"]);
    told(&page, service());
    page.wishes();
    page
}

fn touch_each(page: &Page, labels: &[&str]) {
    for label in labels {
        page.touch("", label);
        page.wait(A_MOMENT);
    }
}

fn told(page: &Page, service: Service) {
    page.deliver(Mail { service: Some(service), ..Mail::default() });
}

fn wishes(page: &Page) -> Vec<Wish> {
    let wish = |request| if let Request::Service(wish) = request { Some(wish) } else { None };
    page.wishes().into_iter().filter_map(wish).collect()
}

fn words(page: &Page) -> String {
    page.stage.window().global::<ui::Service>().get_said().en.into()
}

#[test]
fn a_technician_goes_from_the_guards_page_to_each_part_and_back() {
    let page = page();
    for part in ["Outputs and inputs", "State", "Support bundle", "Enrolment", "Language", "Camera"] {
        touch_each(&page, &[part]);
        assert!(!page.has("Enrolment"), "{part} is a page of its own");
        touch_each(&page, &["Back"]);
    }
    touch_each(&page, &["Back"]);
    assert!(page.has("Log out"));
    assert_eq!(wishes(&page), [], "who only looks wishes nothing");
}

#[test]
fn the_gate_opens_only_when_it_was_asked_twice() {
    let page = page();
    touch_each(&page, &["Outputs and inputs", "Open the gate"]);
    assert_eq!(wishes(&page), []);
    touch_each(&page, &["Back", "Open the gate", "Open now"]);
    assert_eq!(wishes(&page), [Wish::OpenGate]);
    let said = Some(Text::new("闸机已打开，并已记录", "The gate was opened; it is in the journal"));
    told(&page, Service { said, answers: 1, ..service() });
    assert_eq!(words(&page), "The gate was opened; it is in the journal");
    assert!(page.has("Open the gate"));
    touch_each(&page, &["Back", "State"]);
    told(&page, Service { said: Some(Text::new("旧", "old")), answers: 1, passage: None, ..service() });
    assert_eq!(words(&page), "", "an answer belongs to the view where it was asked for");
}

#[test]
fn lamps_that_are_there_are_tried_and_the_others_cannot_be() {
    let page = page();
    touch_each(&page, &["Outputs and inputs", "Pass lamp", "Deny lamp", "Buzzer", "Sound"]);
    assert_eq!(wishes(&page), [Wish::TryOut(Output::PassLamp), Wish::TryOut(Output::DenyLamp), Wish::Sound]);
}

#[test]
fn the_bundle_is_asked_for_and_its_place_is_said() {
    let page = page();
    touch_each(&page, &["Support bundle", "Make the bundle"]);
    assert_eq!(wishes(&page), [Wish::Pack]);
    told(&page, Service { said: Some(Text::new("已写入 /x", "It is in /x (3 KB)")), answers: 1, ..service() });
    assert_eq!(words(&page), "It is in /x (3 KB)");
}

#[test]
fn the_language_of_the_gate_is_chosen_and_spoken_at_once() {
    let page = page();
    touch_each(&page, &["Language", "中文"]);
    assert_eq!(wishes(&page), [Wish::Speak(Language::Zh)]);
    assert!(page.has("返回"), "{:?}", page.labels());
}

#[test]
fn the_key_on_the_page_is_the_one_in_the_code() {
    let page = page();
    touch_each(&page, &["Enrolment"]);
    let picture = image::DynamicImage::ImageRgb8(page.stage.render()).into_luma8();
    let luma = crate::capture::Luma::new(800, 480, picture.into_raw());
    let mut decoder = crate::decode::Decoder::new(crate::decode::Settings::thorough());
    let read: Vec<String> = decoder.look(&luma).codes.iter().map(|code| code.text().into_owned()).collect();
    assert_eq!(read, [service().device]);
    let shown = page.stage.window().global::<ui::Service>().get_device();
    assert_eq!(shown.split_whitespace().collect::<String>(), service().device);
}

#[test]
fn the_camera_is_shown_while_its_view_is_there_and_the_best_focus_is_kept() {
    let page = page();
    let focus = |focus| {
        let inspection = Inspection { focus, ..inspection(true) };
        page.deliver(Mail { inspection: Some((inspection, close())), ..Mail::default() });
        page.stage.window().global::<ui::Service>().get_focus()
    };
    assert_eq!(focus(100.0), 0.0, "nobody looks");
    touch_each(&page, &["Camera"]);
    assert_eq!([focus(100.0), focus(400.0), focus(100.0)], [1.0, 1.0, 0.25]);
    touch_each(&page, &["Back", "Camera"]);
    assert_eq!(focus(100.0), 1.0, "another try");
}

#[test]
fn a_verdict_comes_up_as_always_and_the_page_is_there_again_after_it() {
    let page = page();
    touch_each(&page, &["State"]);
    for verdict in [pass(), deny()] {
        page.show(verdict);
        assert!(!page.has("Back"));
        page.wait(Duration::from_secs(5));
        assert!(page.has("Back"), "{:?}", page.labels());
    }
}

#[test]
fn who_is_no_technician_does_not_come_here_and_who_is_one_no_longer_is_here_no_more() {
    let page = Page::new((800, 480), Language::En);
    page.guards(wang_on_duty());
    touch_each(&page, &["Guard"]);
    assert!(!page.has("Service"));
    let invoked = page.stage.window().global::<ui::Service>();
    invoked.invoke_open();
    assert!(page.has("Hand over"), "also if the page is asked for");

    for gone in [nobody_on_duty(), wang_on_duty()] {
        let page = self::page();
        touch_each(&page, &["State"]);
        page.guards(gone.clone());
        assert!(page.has("Recent"), "{:?}", page.labels());
        // Nor after a verdict that came in between.
        let page = self::page();
        page.show(pass());
        page.guards(gone);
        page.wait(Duration::from_secs(5));
        assert!(page.has("Recent"), "{:?}", page.labels());
    }
}

#[test]
fn a_page_left_alone_goes_back_to_the_lane() {
    let page = page();
    page.wait(Duration::from_secs(240));
    assert!(page.has("Enrolment"));
    page.wait(Duration::from_secs(70));
    assert!(page.has("Recent"), "{:?}", page.labels());
}
