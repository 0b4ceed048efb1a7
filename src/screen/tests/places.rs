//! Where the buttons are on the small display, for whoever touches the real screen from outside (tests/hardware).

use serde_json::{Value, json};

use super::samples::{asked, nobody_on_duty, wang_on_duty};
use super::*;

/// A way on from the page before.
type Way = fn(&Page);

/// The pages a guard goes through, from the ready page with nobody on duty.
const WAY: &[(&str, Way)] = &[
    ("ready", |_| {}),
    ("names", |page| page.touch("", "Guard")),
    ("keypad", |page| page.touch("", "王建国")),
    ("duty", |page| {
        ["2", "5", "8", "0", "OK"].iter().for_each(|key| page.touch("", key));
        page.guards(wang_on_duty());
    }),
    ("visitor", |page| {
        ["Back", "No phone"].iter().for_each(|button| {
            page.touch("", button);
            page.wait(A_MOMENT);
        });
    }),
    ("override", |page| {
        page.touch("", "Back");
        page.show(asked(Offer::Override));
    }),
    ("why", |page| page.touch("", "Let in all the same")),
    ("decide", |page| page.show(asked(Offer::Decide))),
    ("why-not", |page| page.touch("", "Turn away")),
];

/// With `TONGGUAN_PLACES=FILE` they are kept: the middle of each button, by its page and its English label.
#[test]
fn a_guard_finds_every_button_where_the_page_says_it_is() {
    let page = Page::new((800, 480), Language::En);
    page.guards(nobody_on_duty());
    let mut places = serde_json::Map::new();
    for (name, way) in WAY {
        way(&page);
        page.wait(A_MOMENT);
        let place = |button: &ElementHandle| {
            let at = middle(button);
            (button.accessible_label().unwrap_or_default().to_string(), json!([at.x.round(), at.y.round()]))
        };
        places.insert((*name).to_owned(), page.buttons().iter().map(place).collect::<Value>());
    }
    for (name, label) in [
        ("ready", "Recent"),
        ("names", "Li"),
        ("keypad", "7"),
        ("duty", "Log out"),
        ("visitor", "Look up"),
        ("override", "Let in all the same"),
        ("why", "Known to me"),
        ("decide", "Turn away"),
        ("why-not", "No document"),
    ] {
        assert!(places[name].get(label).is_some(), "{name}: {:?}", places[name]);
    }
    if let Some(file) = std::env::var_os("TONGGUAN_PLACES") {
        std::fs::write(file, Value::from(places).to_string()).expect("the places are kept");
    }
}
