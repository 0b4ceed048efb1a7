//! Number plates of vehicles.

use crate::lang::Text;

/// The one character before the letter of a plate: the province's.
const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";
/// What may stand at the end of a plate: learners, police, Hong Kong and Macao, trailers, consulates.
const LAST: &str = "学警港澳挂领";

/// A plate: 陕A12345, or with six characters for vehicles of new energy. Written without spaces and points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plate(String);

impl Plate {
    /// Reads a plate as somebody typed it.
    ///
    /// # Errors
    /// A sentence for whoever typed it.
    pub fn parse(text: &str) -> Result<Self, Text> {
        const WRONG: Text = Text::new(
            "车牌应如 陕A12345，新能源车如 陕AD12345。",
            "A plate looks like 陕A12345, that of a new-energy vehicle like 陕AD12345.",
        );
        let plate: String = text.chars().filter(|c| !matches!(c, ' ' | '\u{3000}' | '·' | '.' | '-' | '•')).collect();
        let plate = plate.to_uppercase();
        let mut rest = plate.chars();
        let province = rest.next().is_some_and(|c| PROVINCES.contains(c));
        let letter = rest.next().is_some_and(|c| c.is_ascii_uppercase());
        let body: Vec<char> = rest.collect();
        // GA 36: I and O are not used, so that they are not taken for 1 and 0.
        let plain = |c: &char| (c.is_ascii_digit() || c.is_ascii_uppercase()) && !matches!(c, 'I' | 'O');
        let fits = match body.split_last() {
            Some((last, begin)) if body.len() == 5 => begin.iter().all(plain) && (plain(last) || LAST.contains(*last)),
            Some(_) if body.len() == 6 => body.iter().all(plain) && is_new_energy(&body),
            _ => false,
        };
        if province && letter && fits { Ok(Self(plate)) } else { Err(WRONG) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// GA 36-2018: five digits with a letter before them (small vehicles; the place after it may have a letter too) or behind (large ones).
fn is_new_energy(body: &[char]) -> bool {
    let small = body[0].is_ascii_uppercase() && body[2..].iter().all(char::is_ascii_digit);
    let large = body[5].is_ascii_uppercase() && body[..5].iter().all(char::is_ascii_digit);
    small || large
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plates_of_the_city_and_of_new_energy_are_read_and_others_told() {
        for (typed, plate) in [
            ("陕A12345", "陕A12345"),
            ("陕a·d12345", "陕AD12345"),
            ("陕U 8K8K8", "陕U8K8K8"),
            ("陕A12345D", "陕A12345D"),
            ("京A1234警", "京A1234警"),
        ] {
            assert_eq!(Plate::parse(typed).map(|p| p.as_str().to_owned()), Ok(plate.to_owned()));
        }
        for bad in ["", "陕", "A12345", "陕A1234", "陕A123456", "陕AI2345", "陕A1234567", "陕112345", "西A12345", "ß"]
        {
            assert!(Plate::parse(bad).is_err(), "{bad}");
        }
    }
}
