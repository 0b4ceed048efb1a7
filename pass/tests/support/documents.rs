//! Vectors of documents' numbers (SY 14).

use super::schema::{DocumentExpect, DocumentVector};

#[derive(Default)]
struct Documents(Vec<DocumentVector>);

impl Documents {
    fn push(&mut self, kind: &str, name: &str, clause: &str, about: &str, text: &str, expect: DocumentExpect) {
        self.0.push(DocumentVector {
            name: format!("document-{}-{name}", kind.replace('_', "-")),
            about: about.into(),
            clause: clause.into(),
            kind: kind.into(),
            text: text.into(),
            expect,
        });
    }

    fn good(&mut self, kind: &str, name: &str, clause: &str, about: &str, text: &str, number: &str) {
        self.push(kind, name, clause, about, text, DocumentExpect::Number { number: number.into() });
    }

    fn bad(&mut self, kind: &str, name: &str, clause: &str, about: &str, text: &str, error: &str) {
        self.push(kind, name, clause, about, text, DocumentExpect::Refused { error: error.into() });
    }
}

pub(crate) fn all() -> Vec<DocumentVector> {
    let mut all = Documents::default();
    writing(&mut all);
    cards(&mut all);
    old_cards(&mut all);
    permits(&mut all);
    others(&mut all);
    all.0
}

const GOOD: &str = "440308199901101512";

/// SY 14.1: the ways of writing a number.
fn writing(all: &mut Documents) {
    let id = "resident_id";
    all.good(id, "good", "SY 14.3", "The specimen of GB 11643.", GOOD, GOOD);
    let about = "Spaces and dashes, also as wide as a hanzi where that is a space.";
    all.good(id, "spaces", "SY 14.1", about, " 440308-1999\u{3000}0110 1512 ", GOOD);
    let about = "Digits and a letter as wide as a hanzi, in lower case.";
    all.good(id, "wide", "SY 14.1", about, "１１０１０５１９４９１２３１００２ｘ", "11010519491231002X");
    all.good(id, "lower-case", "SY 14.1", "A small x.", "11010519491231002x", "11010519491231002X");
    all.bad(id, "tab", "SY 14.1", "A tab is no space.", "440308\t199901101512", "character");
    all.bad(id, "wide-dash", "SY 14.1", "A dash as wide as a hanzi.", "440308－199901101512", "character");
    all.bad(id, "arabic-digits", "SY 14.1", "Digits of another script.", "٤٤٠٣٠٨199901101512", "character");
    all.bad("passport", "hanzi", "SY 14.1", "No number, but a word.", "护照", "character");
    let about = "A letter with an accent.";
    all.bad("passport", "accent", "SY 14.1", about, "É12345678", "character");
    let long = "1".repeat(25);
    all.bad("passport", "25", "SY 14.1", "More characters than any number has.", &long, "too_long");
    let about = "What comes after the 24th character is not looked at.";
    all.bad("passport", "25-dot", "SY 14.1", about, &format!("{}.", "1".repeat(24)), "too_long");
    let about = "A wrong character before the number is too long.";
    all.bad("passport", "dot-25", "SY 14.1", about, &format!(".{}", "1".repeat(25)), "character");
}

/// SY 14.3.
fn cards(all: &mut Documents) {
    let id = "resident_id";
    let mut bad = |name: &str, about: &str, text: &str, error: &str| all.bad(id, name, "SY 14.3", about, text, error);
    bad("empty", "Nothing yet.", "", "incomplete");
    bad("one-digit", "A digit may become anything.", "0", "incomplete");
    bad("begun", "Two digits are missing.", "4403081999011015", "incomplete");
    bad("17", "The check digit is missing.", "44030819990110151", "incomplete");
    bad("region-10", "No province has this number.", "10", "region");
    bad("region-83", "Nor this one.", "83", "region");
    bad("region-before-birth", "Neither the region nor the birth is right.", "00030819991301", "region");
    bad("birth-30-february", "The 30th of February.", "44030819990230", "birth");
    bad("birth-1900", "1900 was no leap year.", "44030819000229", "birth");
    bad("birth-month-13", "A 13th month.", "44030819991301", "birth");
    bad("birth-month-0", "A month 0.", "44030819990001", "birth");
    bad("birth-day-0", "A day 0.", "44030819990100", "birth");
    bad("birth-31-april", "The 31st of April.", "44030819990431", "birth");
    bad("birth-1849", "Longer ago than anybody was born.", "44030818491231", "birth");
    bad("birth-2100", "In a time to come.", "44030821000101", "birth");
    bad("birth-before-check", "The check digit is right, the birth is not.", "440308199902301516", "birth");
    bad("check", "Another check digit.", "440308199901101513", "check");
    bad("check-x", "An X where a digit is right.", "44030819990110151X", "check");
    bad("check-exchanged", "Two digits are exchanged.", "440308199901105112", "check");
    bad("19", "A digit after the check digit.", "4403081999011015123", "too_long");
    bad("x-early", "An X that is not the last.", "440308X", "character");
    bad("letter-last", "Another letter than X.", "44030819990110151A", "character");
    bad("character-before-region", "A letter, and no region.", "00A", "character");
    let mut good = |name: &str, about: &str, text: &str| all.good(id, name, "SY 14.3", about, text, text);
    good("29-february", "The 29th of February of a leap year.", "110105200002290005");
    good("least-region", "The first province.", "110000185001010008");
    good("last-birth", "The last day of all.", "829999209912319997");
}

/// SY 14.4.
fn old_cards(all: &mut Documents) {
    let (id, clause) = ("resident_id", "SY 14.4");
    let about = "A card of 15 digits.";
    all.good(id, "15", clause, about, "610104620927690", "610104196209276908");
    let about = "A card of 15 digits whose check digit is X.";
    all.good(id, "15-x", clause, about, "110105491231002", "11010519491231002X");
    let about = "15 digits that are no old card, and begin a new one.";
    all.bad(id, "15-begun", clause, about, "440308199901101", "incomplete");
    let about = "15 digits that are no old card, and no new one either.";
    all.bad(id, "15-birth", clause, about, "610104621327690", "birth");
    let about = "A card of 15 digits has no X.";
    all.bad(id, "15-character", clause, about, "61010462092769X", "character");
    let about = "15 digits, and no province.";
    all.bad(id, "15-region", clause, about, "000104620927690", "region");
}

/// SY 14.5.
fn permits(all: &mut Documents) {
    let (id, clause) = ("residence_permit", "SY 14.5");
    all.good(id, "hong-kong", clause, "Somebody from Hong Kong.", "810000199408230021", "810000199408230021");
    all.good(id, "taiwan", clause, "Somebody from Taiwan.", "830000199201300022", "830000199201300022");
    all.bad(id, "resident", clause, "A resident identity card.", GOOD, "region");
    all.bad(id, "region", clause, "The rest of the region is not zeros.", "810001199408230021", "region");
    all.bad(id, "84", clause, "There is no 84.", "84", "region");
    all.bad(id, "begun", clause, "As far as it goes it is right.", "8200", "incomplete");
    all.bad(id, "check", clause, "Another check digit.", "810000199408230022", "check");
    all.bad(id, "15", clause, "There are none of 15 digits.", "810000940823002", "birth");

    let (id, clause) = ("permanent_resident", "SY 14.6");
    let specimen = "932682198501010017";
    all.good(id, "good", clause, "A card of 18 digits.", specimen, specimen);
    all.good(id, "old", clause, "One from before 2023-12.", "kaz110090123105", "KAZ110090123105");
    all.bad(id, "region", clause, "It does not begin with 9.", "832682198501010017", "region");
    all.bad(id, "check", clause, "Another check digit.", "932682198501010018", "check");
    all.bad(id, "old-short", clause, "A digit is missing.", "KAZ11009012310", "incomplete");
    all.bad(id, "old-long", clause, "A digit too many.", "KAZ1100901231055", "too_long");
    all.bad(id, "old-letters", clause, "Two letters only.", "KA1110090123105", "character");
    all.bad(id, "empty", clause, "Nothing yet.", "", "incomplete");

    let (id, clause) = ("travel_permit_hk_macao", "SY 14.7");
    all.good(id, "good", clause, "A permit.", "H12345678", "H12345678");
    let about = "Two digits more tell how often it was renewed.";
    all.good(id, "renewed", clause, about, "m1234567801", "M12345678");
    all.bad(id, "region", clause, "Neither H nor M.", "X12345678", "region");
    all.bad(id, "digit-first", clause, "A digit first.", "112345678", "region");
    all.bad(id, "short", clause, "A digit is missing.", "H1234567", "incomplete");
    all.bad(id, "10", clause, "One more than nine.", "H123456780", "incomplete");
    all.bad(id, "12", clause, "One more than eleven.", "H12345678012", "too_long");
    all.bad(id, "letter", clause, "A second letter.", "HM2345678", "character");
    all.bad(id, "renewed-letter", clause, "A letter among the last two.", "H123456780A", "character");
    all.bad(id, "empty", clause, "Nothing yet.", "", "incomplete");

    let (id, clause) = ("travel_permit_taiwan", "SY 14.8");
    all.good(id, "good", clause, "A permit.", "01234567", "01234567");
    all.bad(id, "short", clause, "A digit is missing.", "0123456", "incomplete");
    all.bad(id, "long", clause, "A digit too many.", "012345678", "too_long");
    all.bad(id, "letter", clause, "A letter.", "T1234567", "character");
}

/// SY 14.9, 14.10.
fn others(all: &mut Documents) {
    let (id, clause) = ("taiwan_id", "SY 14.9");
    all.good(id, "good", clause, "The specimen.", "A123456789", "A123456789");
    all.good(id, "letter-o", clause, "A letter that is out of the alphabet's order.", "O100000004", "O100000004");
    all.good(id, "foreigner", clause, "A foreign resident's.", "A800000014", "A800000014");
    all.bad(id, "check", clause, "Another check digit.", "A123456788", "check");
    all.bad(id, "letter", clause, "Another letter.", "B123456789", "check");
    all.bad(id, "second", clause, "No second digit is 3.", "A323456789", "region");
    all.bad(id, "second-0", clause, "Nor is one 0.", "A023456789", "region");
    all.bad(id, "short", clause, "A digit is missing.", "A12345678", "incomplete");
    all.bad(id, "short-second", clause, "Of a number that is not whole only characters are told.", "A3", "incomplete");
    all.bad(id, "long", clause, "A digit too many.", "A1234567899", "too_long");
    all.bad(id, "no-letter", clause, "A digit first.", "1123456789", "character");

    let clause = "SY 14.10";
    for (id, good) in [("passport", "E12345678"), ("military_officer", "0123456")] {
        all.good(id, "good", clause, "There is no rule but the length.", good, good);
        all.good(id, "5", clause, "The shortest.", "12345", "12345");
        all.good(id, "16", clause, "The longest.", "1234567890ABCDEF", "1234567890ABCDEF");
        all.bad(id, "4", clause, "A character less.", "1234", "incomplete");
        all.bad(id, "17", clause, "A character more.", "1234567890ABCDEFG", "too_long");
        all.bad(id, "empty", clause, "Nothing yet.", "", "incomplete");
    }
}
