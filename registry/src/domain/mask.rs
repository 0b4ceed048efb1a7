//! As much of what is personal as may stand on a page that somebody else may see.

use tongguan_pass::Document;

use crate::domain::plate::Plate;
pub use crate::domain::roster::masked as name;

/// `610112****10` of a card's eighteen characters; of a shorter number its first two and its last: `E1****7`.
pub fn document(document: &Document) -> String {
    let number = document.number();
    let (first, last) = if number.len() >= 15 { (6, 2) } else { (2, 1) };
    // Letters and digits only, five at least.
    let (Some(first), Some(last)) = (number.get(..first), number.get(number.len().saturating_sub(last)..)) else {
        return "****".to_owned();
    };
    format!("{first}****{last}")
}

/// `陕A****5`.
pub fn plate(plate: &Plate) -> String {
    let shown: Vec<char> = plate.as_str().chars().collect();
    let first: String = shown.iter().take(2).collect();
    format!("{first}****{}", shown.last().copied().unwrap_or_default())
}

/// The last character of a door: enough for whoever lives there.
pub fn tail(text: &str) -> String {
    match text.chars().last() {
        Some(last) if text.chars().count() > 1 => format!("**{last}"),
        Some(_) => "*".to_owned(),
        None => "—".to_owned(),
    }
}

/// A number in groups, as it is easier compared: `610112 19880808 0010`, others by four.
pub fn spaced(number: &str) -> String {
    let groups: Vec<usize> =
        if number.len() == 18 { vec![6, 14] } else { (1..=number.len() / 4).map(|n| n * 4).collect() };
    number.chars().enumerate().fold(String::new(), |mut text, (at, c)| {
        if groups.contains(&at) {
            text.push(' ');
        }
        text.push(c);
        text
    })
}

#[cfg(test)]
mod tests {
    use tongguan_pass::DocumentKind;

    use super::*;

    #[test]
    fn enough_is_hidden_of_every_kind_of_number() {
        let masked = |kind, number| document(&Document::parse(kind, number).expect("a number"));
        assert_eq!(masked(DocumentKind::ResidentId, "440308199901101512"), "440308****12");
        assert_eq!(masked(DocumentKind::Passport, "E12345678"), "E1****8");
        assert_eq!(masked(DocumentKind::Passport, "12345"), "12****5");
        assert_eq!(plate(&Plate::parse("陕A12345").expect("a plate")), "陕A****5");
        assert_eq!((tail("1204"), tail("9"), tail("")), ("**4".into(), "*".into(), "—".into()));
        assert_eq!(spaced("440308199901101512"), "440308 19990110 1512");
        assert_eq!(spaced("E1234567"), "E123 4567");
        assert_eq!(spaced(""), "");
    }
}
