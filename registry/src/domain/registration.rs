//! A registration: what somebody typed, and what it becomes once every field of it is right.

use serde::{Deserialize, Serialize};
use tongguan_pass::{Document, DocumentError, DocumentKind};

use crate::domain::person::{Home, Name};
use crate::domain::phone::Phone;
use crate::domain::plate::Plate;
use crate::domain::profile::{Gender, PLATES, Place, Profile};
use crate::lang::Text;

/// The version of the notice that everybody agrees to first. A changed notice has the next number.
pub const NOTICE: u32 = 1;
/// Bytes of one field as typed. What is longer is cut: nothing that long is right.
const FIELD_BYTES: usize = 400;

/// The fields of the forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Field {
    Name,
    DocumentKind,
    DocumentNumber,
    Gender,
    Phone,
    Code,
    Community,
    Building,
    Unit,
    Door,
    Plates,
}

/// What is wrong with which field.
pub type Problems = Vec<(Field, Text)>;

/// The fields as somebody typed them. Its Debug shows none of them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "their names say it")]
pub struct Typed {
    pub name: String,
    pub document_kind: String,
    pub document_number: String,
    pub gender: String,
    pub phone: String,
    /// The number of the community that was chosen.
    pub community: String,
    /// What it was looked for by.
    pub search: String,
    pub building: String,
    pub unit: String,
    pub door: String,
    /// Plates, with commas between them.
    pub plates: String,
}

impl std::fmt::Debug for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Typed(..)")
    }
}

/// A registration with nothing wrong in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Beside the document; it has a phone and a gender.
    pub profile: Profile,
    /// The phone in it.
    pub phone: Phone,
    /// The document.
    pub document: Document,
    /// Where they live.
    pub community: u32,
}

impl Typed {
    /// With no field longer than one can be.
    pub fn bounded(mut self) -> Self {
        let Self {
            name,
            document_kind,
            document_number,
            gender,
            phone,
            community,
            search,
            building,
            unit,
            door,
            plates,
        } = &mut self;
        for field in
            [name, document_kind, document_number, gender, phone, community, search, building, unit, door, plates]
        {
            field.truncate(field.floor_char_boundary(FIELD_BYTES));
        }
        self
    }

    /// The registration, if every field is right.
    ///
    /// # Errors
    /// For each field that is not one sentence, in the order of the form.
    pub fn check(&self) -> Result<Registration, Problems> {
        let mut problems = Problems::new();
        let name = kept(&mut problems, Field::Name, self.name());
        let document = match DocumentKind::from_name(&self.document_kind) {
            Some(kind) => kept(&mut problems, Field::DocumentNumber, document(kind, &self.document_number)),
            None => kept(
                &mut problems,
                Field::DocumentKind,
                Err(Text::new("请选择证件类型。", "Choose a kind of document.")),
            ),
        };
        let gender = Gender::from_name(&self.gender).ok_or(Text::new("请选择性别。", "Choose a gender."));
        let gender = kept(&mut problems, Field::Gender, gender);
        let phone = kept(&mut problems, Field::Phone, Phone::parse(&self.phone));
        let community = kept(&mut problems, Field::Community, self.community());
        let home = kept(&mut problems, Field::Building, building(&self.building));
        let unit = kept(&mut problems, Field::Unit, Place::parse(&self.unit));
        let door = kept(&mut problems, Field::Door, Place::parse(&self.door));
        let plates = kept(&mut problems, Field::Plates, plates(&self.plates));
        match (name, document, gender, phone, community, home, unit, door, plates) {
            (
                Some(name),
                Some(document),
                Some(gender),
                Some(phone),
                Some(community),
                Some(home),
                Some(unit),
                Some(door),
                Some(plates),
            ) => {
                let profile =
                    Profile { name, gender: Some(gender), phone: Some(phone.clone()), home, unit, door, plates };
                Ok(Registration { profile, phone, document, community })
            }
            _ => Err(problems),
        }
    }

    fn name(&self) -> Result<Name, Text> {
        if self.name.trim().is_empty() {
            return Err(Text::new("请填写姓名，与证件一致。", "Write the name as it stands in the document."));
        }
        Name::parse(&self.name).map_err(|_| {
            Text::new("姓名最多 100 个字，且在一行内。", "A name has at most 100 characters, on one line.")
        })
    }

    fn community(&self) -> Result<u32, Text> {
        let chosen = self.community.parse().ok().filter(|id| *id != 0);
        chosen.ok_or(Text::new("请搜索并选择小区或村。", "Look for your community or village, and choose it."))
    }
}

fn kept<T>(problems: &mut Problems, field: Field, checked: Result<T, Text>) -> Option<T> {
    checked.map_err(|problem| problems.push((field, problem))).ok()
}

/// A document's number, as somebody typed it.
///
/// # Errors
/// A sentence for whoever typed it.
pub fn document(kind: DocumentKind, typed: &str) -> Result<Document, Text> {
    if typed.trim().is_empty() {
        return Err(Text::new("请填写证件号码。", "Write the document's number."));
    }
    Document::parse(kind, typed).map_err(document_problem)
}

/// What is wrong with a document's number, for whoever typed it.
pub fn document_problem(error: DocumentError) -> Text {
    match error {
        DocumentError::Incomplete => Text::new("证件号码不完整。", "The number is not complete."),
        DocumentError::TooLong => Text::new("证件号码太长。", "The number is too long."),
        DocumentError::Character => Text::new(
            "证件号码里有不该有的字符。",
            "The number has a character that such a number does not have there.",
        ),
        DocumentError::Region => Text::new(
            "证件号码的开头不对，请核对证件类型。",
            "The number does not begin as one of this kind does. Check the kind.",
        ),
        DocumentError::Birth => Text::new("证件号码中的出生日期不对。", "The date of birth in the number is no date."),
        DocumentError::Check => {
            Text::new("证件号码有一位不对，请逐位核对。", "One digit of the number is wrong. Check it digit by digit.")
        }
        _ => Text::new("证件号码不对。", "The number is not right."),
    }
}

/// What a document is called.
pub fn document_name(kind: DocumentKind) -> Text {
    match kind {
        DocumentKind::ResidentId => Text::new("居民身份证", "Resident identity card"),
        DocumentKind::MilitaryOfficer => Text::new("军官证", "Military officer's card"),
        DocumentKind::Passport => Text::new("护照", "Passport"),
        DocumentKind::ResidencePermit => {
            Text::new("港澳台居民居住证", "Residence permit for Hong Kong, Macao and Taiwan residents")
        }
        DocumentKind::TaiwanId => Text::new("台湾身份证", "Taiwan identity card"),
        DocumentKind::TravelPermitHkMacao => {
            Text::new("港澳居民来往内地通行证", "Mainland travel permit for Hong Kong and Macao residents")
        }
        DocumentKind::TravelPermitTaiwan => {
            Text::new("台湾居民来往大陆通行证", "Mainland travel permit for Taiwan residents")
        }
        DocumentKind::PermanentResident => Text::new("外国人永久居留身份证", "Foreigners' permanent residence card"),
        _ => Text::new("其他证件", "Another document"),
    }
}

fn building(typed: &str) -> Result<Home, Text> {
    Home::parse(typed).map_err(|_| {
        Text::new("楼栋最多 8 个汉字或 25 个字母。", "A building has at most 25 letters or 8 Chinese characters.")
    })
}

fn plates(typed: &str) -> Result<Vec<Plate>, Text> {
    let plates: Vec<&str> =
        typed.split([',', '，', '、', ';', '；', '\n']).map(str::trim).filter(|p| !p.is_empty()).collect();
    if plates.len() > PLATES {
        return Err(Text::new("最多填写 3 个车牌。", "At most 3 plates."));
    }
    plates.into_iter().map(Plate::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed() -> Typed {
        Typed {
            name: " 周小明 ".into(),
            document_kind: "resident_id".into(),
            document_number: "440308 19990110 1512".into(),
            gender: "male".into(),
            phone: "153 1234 5678".into(),
            community: "1".into(),
            search: "曲江".into(),
            building: "3号楼".into(),
            unit: "2".into(),
            door: "1204".into(),
            plates: "陕A12345，陕AD12345".into(),
        }
    }

    #[test]
    fn what_is_right_becomes_a_registration() {
        let made = typed().check().expect("nothing is wrong");
        assert_eq!((made.profile.name.as_str(), made.document.number()), ("周小明", "440308199901101512"));
        assert_eq!((made.profile.phone, made.profile.plates.len()), (Some(made.phone), 2));
    }

    #[test]
    fn each_field_that_is_wrong_is_told_once_in_the_order_of_the_form() {
        let fields = |typed: Typed| typed.check().expect_err("wrong").into_iter().map(|(f, _)| f).collect::<Vec<_>>();
        let all = [Field::Name, Field::DocumentKind, Field::Gender, Field::Phone, Field::Community];
        assert_eq!(fields(Typed::default()), all);
        assert_eq!(fields(Typed { document_number: "440308199901101513".into(), ..typed() }), [Field::DocumentNumber]);
        assert_eq!(fields(Typed { plates: "陕A12345,x".into(), ..typed() }), [Field::Plates]);
        assert_eq!(fields(Typed { plates: "陕A12345,".repeat(4), ..typed() }), [Field::Plates]);
        assert_eq!(fields(Typed { community: "4294967296".into(), ..typed() }), [Field::Community]);
    }

    #[test]
    fn a_field_that_is_huge_is_cut_between_characters() {
        let huge = Typed { name: "长".repeat(100_000), ..typed() }.bounded();
        assert_eq!(huge.name.len(), FIELD_BYTES / 3 * 3);
        assert_eq!(huge.phone, typed().phone);
    }
}
