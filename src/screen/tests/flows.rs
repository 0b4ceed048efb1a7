//! What guards do, by what is written on the buttons.

use tongguan_pass::Answer;

use super::samples::{asked, deny, fault, nobody_on_duty, pass, past, wang, wang_on_duty};
use super::*;
use crate::guards::Pin;

const SMALL: (u32, u32) = (800, 480);

fn page() -> Page {
    let page = Page::new(SMALL, Language::En);
    page.guards(nobody_on_duty());
    page.deliver(Mail { past: Some(past()), ..Mail::default() });
    page
}

/// Each touch as soon as the page has settled.
fn touch_each(page: &Page, labels: &[&str]) {
    for label in labels {
        page.touch("", label);
        page.wait(A_MOMENT);
    }
}

fn ruled(wishes: &[Request]) -> Vec<(u64, Answer, &'static str)> {
    let rule = |wish: &Request| match wish {
        Request::Rule { token, answer, reason } => (*token, *answer, *reason),
        other => panic!("{other:?} was not touched"),
    };
    wishes.iter().map(rule).collect()
}

#[test]
fn two_touches_let_in_or_turn_away_with_a_reason() {
    let page = page();
    for (answer, reason, wanted) in [
        ("Let in", "Known to me", (7, Answer::LetIn, "known")),
        ("Turn away", "Not the holder", (7, Answer::TurnedAway, "not_the_holder")),
    ] {
        page.show(asked(Offer::Decide));
        touch_each(&page, &[answer, reason]);
        assert_eq!(ruled(&page.wishes()), [wanted]);
        // Said once: until the lane answers there is nothing to say again.
        assert_eq!(page.labels(), ["Guard", "切换到中文"]);
    }
}

#[test]
fn every_reason_of_the_journal_has_its_words() {
    for (answer, label) in [(Answer::LetIn, "Let in"), (Answer::TurnedAway, "Turn away")] {
        for reason in reasons(answer) {
            let page = page();
            page.show(asked(Offer::Decide));
            page.touch("", label);
            page.wait(A_MOMENT);
            assert!(!page.has(reason), "{reason} is shown as the journal writes it");
            let index = reasons(answer).iter().position(|r| r == reason).expect("itself");
            // After the guard and the language; the way back comes last.
            let words = page.labels()[2 + index].clone();
            touch_each(&page, &[&words]);
            assert_eq!(ruled(&page.wishes()), [(7, answer, *reason)]);
        }
    }
}

#[test]
fn a_touch_that_was_meant_for_what_stood_there_before_answers_nothing() {
    let page = page();
    page.deliver(Mail { face: Some(Face::Verdict(asked(Offer::Decide))), ..Mail::default() });
    page.touch("", "Let in");
    assert!(page.has("Let in") && !page.has("Known to me"), "too early");
    page.wait(Duration::from_millis(200));
    page.touch("", "Let in");
    assert!(!page.has("Known to me"), "still too early");
    page.wait(Duration::from_millis(300));
    page.touch("", "Let in");
    assert!(page.has("Known to me"));
    // A trembling finger gives no reason.
    page.touch("", "Known to me");
    assert!(page.wishes().is_empty());

    // The finger comes down on one verdict and goes up on the next, however long it rests there.
    page.show(asked(Offer::Decide));
    let at = middle(&page.find("Let in"));
    page.press(at);
    page.show(Shown { token: 8, ..asked(Offer::Decide) });
    page.release(at);
    assert!(page.has("Let in") && !page.has("Known to me"));
}

#[test]
fn a_verdict_that_came_meanwhile_is_not_answered_by_the_old_buttons() {
    let page = page();
    page.show(asked(Offer::Decide));
    touch_each(&page, &["Let in"]);
    let old = middle(&page.find("Document seen"));
    page.show(Shown { token: 8, ..asked(Offer::Decide) });
    assert!(!page.has("Document seen"));
    page.press(old);
    page.release(old);
    assert!(page.wishes().is_empty());
    page.wait(A_MOMENT);
    if page.has("Back") {
        touch_each(&page, &["Back"]);
    }
    touch_each(&page, &["Turn away", "Went away"]);
    assert_eq!(ruled(&page.wishes()), [(8, Answer::TurnedAway, "went_away")]);
}

#[test]
fn a_guard_may_think_again_and_may_take_half_a_minute() {
    let page = page();
    page.show(asked(Offer::Decide));
    touch_each(&page, &["Let in", "Back"]);
    assert!(page.has("Turn away"));
    page.wait(Duration::from_secs(20));
    touch_each(&page, &["Turn away"]);
    assert!(page.has("Went away"), "the question still stands");
    page.wait(Duration::from_secs(10));
    assert!(page.has("Recent"), "and then it is over");
    assert!(page.wishes().is_empty());
}

#[test]
fn a_refusal_is_set_aside_with_a_reason_or_fades() {
    let page = page();
    page.show(asked(Offer::Override));
    assert!(!page.has("Turn away"));
    page.wait(Duration::from_secs(3));
    touch_each(&page, &["Let in all the same"]);
    page.wait(Duration::from_secs(10));
    touch_each(&page, &["Emergency"]);
    assert_eq!(ruled(&page.wishes()), [(7, Answer::LetIn, "emergency")]);
    page.show(asked(Offer::Override));
    page.wait(Duration::from_secs(4));
    assert!(page.has("Recent"));
}

#[test]
fn a_pin_is_sent_with_its_name_and_is_gone() {
    let page = page();
    touch_each(&page, &["Guard", "王建国", "2", "5", "5", "Delete", "8", "0"]);
    let guard = page.stage.window().global::<ui::Guard>();
    assert_eq!(guard.get_typed(), 4);
    touch_each(&page, &["OK"]);
    assert_eq!(guard.get_typed(), 0);
    let wishes = page.wishes();
    let [Request::LogIn { name, pin }] = &wishes[..] else { panic!("{wishes:?}") };
    assert_eq!(name, "王建国");
    let mut roster = crate::guards::Roster::default();
    roster.add("王建国", crate::guards::Role::Guard, &Pin::parse("2580").unwrap()).unwrap();
    assert!(roster.find("王建国").unwrap().has_pin(pin), "another PIN was typed");

    let wrong = Text::new("密码不对", "Wrong PIN");
    page.guards(Guards { said: Some(wrong), ..nobody_on_duty() });
    assert_eq!(guard.get_said().en, "Wrong PIN");
    assert_eq!(guard.get_view(), ui::GuardView::Keypad);
    // It was said to Wang.
    touch_each(&page, &["Back", "Li"]);
    assert_eq!(guard.get_said().en, "");
    touch_each(&page, &["Back", "王建国", "2", "5", "8", "0", "OK"]);
    page.guards(wang_on_duty());
    assert_eq!(guard.get_view(), ui::GuardView::Duty);
}

#[test]
fn a_pin_too_short_cannot_be_entered_and_one_too_long_not_typed() {
    let page = page();
    touch_each(&page, &["Guard", "Li", "1", "4", "7", "OK"]);
    assert!(page.wishes().is_empty());
    touch_each(&page, &["0", "3", "6", "1", "4", "7", "0"]);
    assert_eq!(page.stage.window().global::<ui::Guard>().get_typed(), 8);
}

#[test]
fn half_a_pin_is_forgotten() {
    let page = page();
    let typed = || page.stage.window().global::<ui::Guard>().get_typed();
    touch_each(&page, &["Guard", "Li", "1"]);
    page.wait(Duration::from_secs(15));
    touch_each(&page, &["4"]);
    page.wait(Duration::from_secs(15));
    assert_eq!(typed(), 2);
    page.wait(Duration::from_secs(5));
    assert_eq!(typed(), 0, "after twenty seconds");
    touch_each(&page, &["1", "Back", "Li"]);
    assert_eq!(typed(), 0, "on the way back");
    page.wait(Duration::from_secs(30));
    assert!(page.has("Recent"), "and the page goes too");
}

#[test]
fn who_logs_in_to_decide_is_back_at_the_verdict() {
    let page = page();
    page.show(asked(Offer::LogIn));
    touch_each(&page, &["Log in to decide", "王建国", "2", "5", "8", "0", "OK"]);
    assert_eq!(page.wishes().len(), 1);
    page.guards(wang_on_duty());
    touch_each(&page, &["Let in", "Document seen"]);
    assert_eq!(ruled(&page.wishes()), [(7, Answer::LetIn, "document_seen")]);
}

#[test]
fn a_guard_who_shows_their_code_is_on_duty_whatever_was_being_typed() {
    let page = page();
    let guard = page.stage.window().global::<ui::Guard>();
    let codes = |guards| Guards { codes: true, ..guards };
    page.guards(codes(nobody_on_duty()));
    touch_each(&page, &["Guard", "Li", "1", "4"]);
    page.guards(codes(wang_on_duty()));
    assert_eq!((guard.get_view(), guard.get_typed()), (ui::GuardView::Duty, 0));
    touch_each(&page, &["Hand over"]);
    page.guards(codes(Guards { on_duty: Some(samples::li()), handed_over: Some(wang()), ..nobody_on_duty() }));
    assert_eq!(guard.get_view(), ui::GuardView::Ended);
    touch_each(&page, &["Close"]);
    assert_eq!((guard.get_view(), guard.get_shift().name.as_str()), (ui::GuardView::Duty, "Li"));
    assert!(page.wishes().is_empty());
}

#[test]
fn two_shifts_that_are_alike_are_both_shown() {
    let page = page();
    let guard = page.stage.window().global::<ui::Guard>();
    for number in 1..3 {
        let ended = Guards { handed_over: Some(OnDuty { number, ..wang() }), ..nobody_on_duty() };
        page.guards(ended.clone());
        touch_each(&page, &["Guard"]);
        assert_eq!(guard.get_view(), ui::GuardView::Ended, "{number}");
        touch_each(&page, &["Close", "Back"]);
    }
}

#[test]
fn a_way_back_leads_from_every_page() {
    let page = page();
    touch_each(&page, &["Guard", "Li", "Back", "Back"]);
    assert!(page.has("Recent"));
    touch_each(&page, &["Recent", "Back"]);
    assert!(page.has("Recent"));
    page.show(asked(Offer::LogIn));
    touch_each(&page, &["Log in to decide", "Back"]);
    assert!(page.has("Log in to decide"));
    page.guards(wang_on_duty());
    page.show(pass());
    page.wait(Duration::from_secs(5));
    touch_each(&page, &["Guard", "Hand over", "Li", "Back", "Back", "Back"]);
    assert!(page.has("Recent"));
    assert!(page.wishes().is_empty());
}

#[test]
fn a_guard_on_duty_holds_the_gate_open_and_lets_it_close_by_what_the_button_says() {
    let page = page();
    page.guards(wang_on_duty());
    touch_each(&page, &["Guard", "Hold open"]);
    page.deliver(Mail { guards: Some(Guards { held: true, ..wang_on_duty() }), ..Mail::default() });
    page.touch("", "Let it close");
    assert_eq!(page.wishes().len(), 1, "a trembling finger does not take it back");
    page.wait(A_MOMENT);
    touch_each(&page, &["Let it close"]);
    let held = |wish: &Request| if let Request::Hold(held) = wish { *held } else { panic!("{wish:?}") };
    assert_eq!(page.wishes().iter().map(held).collect::<Vec<_>>(), [false]);
}

#[test]
fn what_the_lane_tells_meanwhile_moves_nothing_under_a_finger() {
    let page = page();
    let guard = page.stage.window().global::<ui::Guard>();
    page.guards(wang_on_duty());
    touch_each(&page, &["Guard", "Hand over"]);
    let a_minute_later = OnDuty { since: Text::new("4小时", "4 hours"), ..wang() };
    page.guards(Guards { on_duty: Some(a_minute_later), ..nobody_on_duty() });
    assert_eq!(guard.get_view(), ui::GuardView::Names, "still handing over");
    touch_each(&page, &["Back"]);
    assert_eq!(guard.get_view(), ui::GuardView::Duty);

    // Logged out for being away, just as they come back: the button under the finger is another one now.
    let at = middle(&page.find("Log out"));
    page.press(at);
    page.guards(nobody_on_duty());
    page.release(at);
    page.deliver(Mail { guards: Some(wang_on_duty()), ..Mail::default() });
    page.touch("", "Log out");
    assert!(page.wishes().is_empty());
    page.wait(A_MOMENT);
    page.deliver(Mail { status: Some(samples::crowded()), ..Mail::default() });
    page.touch("", "Log out");
    assert!(page.wishes().is_empty());
    page.wait(A_MOMENT);
    page.touch("", "Log out");
    assert!(matches!(page.wishes()[..], [Request::LogOut]));
}

#[test]
fn a_verdict_that_ends_behind_the_keypad_swallows_no_digit() {
    let page = page();
    page.show(asked(Offer::LogIn));
    touch_each(&page, &["Log in to decide", "Li", "1"]);
    while page.stage.window().global::<ui::Lane>().get_face() != ui::Face::Ready {
        page.touch("", "4");
        page.touch("", "Delete");
        page.wait(Duration::from_millis(50));
    }
    page.deliver(Mail { fault: Some(Some(fault())), ..Mail::default() });
    page.touch("", "4");
    assert_eq!(page.stage.window().global::<ui::Guard>().get_typed(), 2);
}

#[test]
fn a_shift_that_was_handed_over_can_be_read_until_it_is_put_away() {
    let page = page();
    page.guards(wang_on_duty());
    touch_each(&page, &["Guard", "Log out"]);
    assert!(matches!(page.wishes()[..], [Request::LogOut]));
    page.guards(Guards { handed_over: Some(wang()), ..nobody_on_duty() });
    let guard = page.stage.window().global::<ui::Guard>();
    assert_eq!((guard.get_view(), guard.get_ended().passed), (ui::GuardView::Ended, 1284));
    touch_each(&page, &["Back", "Guard"]);
    assert_eq!(guard.get_view(), ui::GuardView::Ended);
    touch_each(&page, &["Close"]);
    assert_eq!(guard.get_view(), ui::GuardView::Names);
    page.guards(Guards { handed_over: Some(wang()), said: Some(Text::new("一", "a")), ..nobody_on_duty() });
    assert_eq!(guard.get_view(), ui::GuardView::Names);
}

#[test]
fn a_verdict_leaves_every_page_and_only_a_pin_is_gone_on_with() {
    let page = page();
    let at = || page.stage.window().global::<ui::Place>().get_page();
    for (there, typed, afterwards) in [
        (&["Recent"][..], 0, ui::Page::Lane),
        (&["Guard"], 0, ui::Page::Lane),
        (&["Guard", "Li"], 0, ui::Page::Lane),
        (&["Guard", "Li", "1", "4"], 2, ui::Page::Guard),
    ] {
        touch_each(&page, there);
        // Whoever was at work has paused.
        page.wait(Duration::from_secs(5));
        page.show(deny());
        assert_eq!(at(), ui::Page::Lane, "{there:?}");
        page.wait(Duration::from_secs(5));
        assert_eq!((at(), page.stage.window().global::<ui::Guard>().get_typed()), (afterwards, typed), "{there:?}");
    }
}

#[test]
fn a_guard_logs_in_while_a_verdict_comes_every_two_seconds() {
    let page = page();
    let at = || page.stage.window().global::<ui::Place>().get_page();
    let verdicts = [deny(), pass()];
    for (label, verdict) in ["Guard", "王建国", "2", "5", "8", "0", "OK"].iter().zip(verdicts.iter().cycle()) {
        page.deliver(Mail { face: Some(Face::Verdict(verdict.clone())), ..Mail::default() });
        if *label == "Guard" {
            // The verdict fills the screen; its top has the way to the guard's page.
            assert_eq!(at(), ui::Page::Lane);
            page.wait(A_MOMENT);
        }
        // Meant for what stands there as before: no moment passes.
        page.touch("", label);
        assert_eq!(at(), ui::Page::Guard, "{label}");
        page.wait(Duration::from_secs(2));
    }
    let wishes = page.wishes();
    let [Request::LogIn { name, .. }] = &wishes[..] else { panic!("{wishes:?}") };
    assert_eq!(name, "王建国");
    page.guards(wang_on_duty());
    assert!(page.has("Log out") || at() == ui::Page::Lane);
}

#[test]
fn a_verdict_at_the_top_of_the_guards_page_leads_to_its_own_and_goes_in_its_time() {
    let page = page();
    let at = || page.stage.window().global::<ui::Place>().get_page();
    let typed = || page.stage.window().global::<ui::Guard>().get_typed();
    touch_each(&page, &["Guard", "Li", "1", "4"]);
    page.show(Shown { token: 9, ..asked(Offer::Decide) });
    assert_eq!((at(), typed()), (ui::Page::Guard, 2));
    touch_each(&page, &["CHECK  Printed pass", "Let in", "Known to me"]);
    assert_eq!(ruled(&page.wishes()), [(9, Answer::LetIn, "known")]);
    // The digits wait for a moment.
    touch_each(&page, &["Guard", "7"]);
    assert_eq!(typed(), 3);
    page.show(pass());
    for _ in 0..3 {
        assert!(page.has("PASS  Code is valid"));
        touch_each(&page, &["0", "Delete"]);
    }
    touch_each(&page, &["0", "Delete"]);
    assert!(!page.has("PASS  Code is valid"), "touches on this page do not keep it");
    assert_eq!((at(), typed()), (ui::Page::Guard, 3));
}

#[test]
fn a_name_goes_before_its_verdict_does() {
    let page = page();
    let who = || page.stage.window().global::<ui::Lane>().get_verdict().who.zh;
    page.show(Shown { who: Some(samples::who()), ..asked(Offer::Decide) });
    assert_eq!(who(), "周* · 3号楼");
    page.deliver(Mail { forget_who: true, ..Mail::default() });
    assert_eq!(who(), "");
    assert!(page.has("Let in"), "the question still stands");

    // What was to be forgotten is not the next one's name.
    let mailbox = Arc::new(Mailbox::with_bell());
    let screen = Screen { mailbox: Arc::clone(&mailbox) };
    screen.forget_who();
    screen.verdict(Shown { who: Some(samples::who()), ..pass() });
    page.deliver(mailbox.take());
    assert_eq!(who(), "周* · 3号楼");
    page.wait(Duration::from_secs(5));
    assert_eq!(who(), "", "nor does it outstay the verdict");
}

#[test]
fn the_last_outcomes_scroll_by_buttons_and_the_page_goes_by_itself() {
    let page = page();
    touch_each(&page, &["Recent"]);
    let enabled = |label| page.find(label).accessible_enabled();
    assert_eq!((enabled("Up"), enabled("Down")), (Some(false), Some(true)));
    let top = page.stage.render();
    touch_each(&page, &["Down"]);
    assert!(page.stage.render() != top);
    for _ in 0..30 {
        page.touch("", "Down");
    }
    assert_eq!(enabled("Down"), Some(false), "fifty rows have an end");
    for _ in 0..30 {
        page.touch("", "Up");
    }
    assert!(page.stage.render() == top);

    // A finger draws the list up, and it comes to rest.
    page.press(LogicalPosition::new(450.0, 380.0));
    for up in 1..20_u8 {
        page.wait(Duration::from_millis(50));
        let position = LogicalPosition::new(450.0, 380.0 - 10.0 * f32::from(up));
        page.stage.window().window().dispatch_event(WindowEvent::PointerMoved { position });
    }
    page.release(LogicalPosition::new(450.0, 190.0));
    page.wait(Duration::from_secs(5));
    assert_eq!(enabled("Up"), Some(true), "it was flicked");
    page.stage.render();
    assert!(!page.stage.window().window().has_active_animations());

    page.wait(Duration::from_secs(31));
    assert!(page.has("Recent"));
}

#[test]
fn a_fault_stands_in_place_of_ready_until_it_is_gone() {
    let page = page();
    let ready = page.stage.render();
    page.deliver(Mail { fault: Some(Some(fault())), ..Mail::default() });
    page.wait(A_MOMENT);
    let broken = page.stage.render();
    assert!(broken != ready);
    page.show(deny());
    assert!(page.stage.render() != broken, "a verdict goes before it");
    page.wait(Duration::from_secs(5));
    assert!(page.stage.render() == broken);
    page.deliver(Mail { fault: Some(None), ..Mail::default() });
    page.wait(A_MOMENT);
    assert!(page.stage.render() == ready);
}

#[test]
fn where_no_guard_stands_there_is_nothing_to_touch_but_the_language() {
    let page = Page::with(Options { attended: false, language: Language::En, ..Options::default() });
    let nothing = ["切换到中文"];
    assert_eq!(page.labels(), nothing);
    for shown in [pass(), samples::confirm(), deny()] {
        page.show(shown);
        assert_eq!(page.labels(), nothing);
    }
    page.deliver(Mail { face: Some(Face::Ready), fault: Some(Some(fault())), ..Mail::default() });
    assert_eq!(page.labels(), nothing);
}

#[test]
fn somebody_is_there_is_told_once_a_second() {
    let page = page();
    let told = || page.wishes.try_iter().filter(|wish| matches!(wish, Request::Touched)).count();
    let nowhere = LogicalPosition::new(3.0, 200.0);
    for _ in 0..5 {
        page.press(nowhere);
        page.release(nowhere);
    }
    assert_eq!(told(), 1);
    page.wait(Duration::from_secs(1));
    page.touch("", "Recent");
    assert_eq!(told(), 1);
}

#[test]
fn what_a_screen_reader_does_is_what_a_finger_does() {
    let page = page();
    page.show(asked(Offer::Decide));
    page.find("Let in").invoke_accessible_default_action();
    page.wait(A_MOMENT);
    page.find("Another reason").invoke_accessible_default_action();
    assert_eq!(ruled(&page.wishes()), [(7, Answer::LetIn, "other")]);
}

#[test]
fn the_lanes_time_is_shown_and_dashes_where_it_is_not_known() {
    let page = page();
    let time = || page.stage.window().global::<ui::Bar>().get_time();
    assert_eq!(time(), "09:12");
    page.deliver(Mail { time: Some(None), ..Mail::default() });
    assert_eq!(time(), "--:--");
}

#[test]
fn the_colours_follow_the_time_and_a_guard_who_wants_the_others_has_them() {
    let page = Page::with(Options { theme: Theme::Auto, language: Language::En, ..Options::default() });
    let is_day = || page.stage.window().global::<ui::Theme>().get_day();
    let at = |time: Option<&str>| page.deliver(Mail { time: Some(time.map(Into::into)), ..Mail::default() });
    for (time, day) in
        [(Some("06:59"), false), (Some("07:00"), true), (Some("18:59"), true), (Some("19:00"), false), (None, false)]
    {
        at(time);
        assert_eq!(is_day(), day, "{time:?}");
    }
    at(Some("12:00"));
    touch_each(&page, &["Guard", "Night colours"]);
    assert!(!is_day());
    at(Some("12:01"));
    assert!(!is_day(), "as the guard wants it");
    touch_each(&page, &["Day colours", "Night colours"]);
    at(Some("19:00"));
    at(Some("07:00"));
    assert!(is_day(), "until the time says otherwise");
}

#[test]
fn the_corners_go_around_the_code_and_back_when_it_is_gone() {
    let page = page();
    let corner = |id: &str| {
        page.wait(Duration::from_millis(100));
        page.stage.render();
        let found = ElementHandle::find_by_element_id(page.stage.window(), id).next().expect("a corner");
        middle(&found)
    };
    let corners = || (corner("Viewfinder::first"), corner("Viewfinder::last"));
    let see = |aim| page.deliver(Mail { frame: Some((samples::camera(), aim)), ..Mail::default() });
    let waiting = corners();
    let code = Aim { left: 0.5, top: 0.5, right: 0.75, bottom: 0.75 };
    see(Some(code));
    let (first, last) = corners();
    assert!(first.x > waiting.0.x + 50.0 && first.y > waiting.0.y + 50.0, "{first:?}");
    assert!(last.x < waiting.1.x && last.y < waiting.1.y, "{last:?}");
    // A hand trembles, and a frame may be blurred.
    see(Some(Aim { left: 0.51, ..code }));
    see(None);
    assert_eq!(corners(), (first, last));
    for _ in 0..3 {
        see(None);
    }
    assert_eq!(corners(), waiting);
}

#[test]
fn a_ready_page_that_nothing_happens_to_draws_nothing() {
    let page = page();
    page.wait(Duration::from_secs(40));
    page.stage.render();
    assert!(!page.stage.window().window().has_active_animations());
    page.wait(Duration::from_secs(40));
    assert_eq!(slint::platform::duration_until_next_timer_update(), None, "a timer runs though nothing waits");
    assert!(!page.stage.is_stale(), "it wants to be drawn again");
}
