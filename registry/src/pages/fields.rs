//! The fields of the forms: what stands in them, and what is wrong with it.

use tongguan_pass::DocumentKind;

use super::Frame;
use crate::domain::profile::Gender;
use crate::domain::registration::{Field, Problems, Typed, document_name};
use crate::lang::Text;

/// A line to type in.
pub(super) struct Line<'a> {
    pub(super) name: &'static str,
    pub(super) label: Text,
    pub(super) hint: Option<Text>,
    pub(super) value: &'a str,
    pub(super) need: bool,
    /// `type`, `inputmode` and `autocomplete` of the input.
    pub(super) kinds: [&'static str; 3],
    pub(super) problem: Option<&'a Text>,
}

/// Something to choose.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: Text,
    pub(super) chosen: bool,
}

/// The name of a field in a form.
pub(super) fn name_of(field: Field) -> &'static str {
    match field {
        Field::Name => "name",
        Field::DocumentKind => "document_kind",
        Field::DocumentNumber => "document_number",
        Field::Gender => "gender",
        Field::Phone => "phone",
        Field::Code => "code",
        Field::Community => "community",
        Field::Building => "building",
        Field::Unit => "unit",
        Field::Door => "door",
        Field::Plates => "plates",
    }
}

/// What is wrong with a field.
pub(super) fn problem(problems: &Problems, wanted: Field) -> Option<&Text> {
    problems.iter().find(|(field, _)| *field == wanted).map(|(_, text)| text)
}

pub(super) fn name<'a>(typed: &'a Typed, problems: &'a Problems) -> Line<'a> {
    Line {
        name: "name",
        label: Text::new("姓名", "Name"),
        hint: Some(Text::new("与证件一致", "As in the document")),
        value: &typed.name,
        need: true,
        kinds: ["text", "text", "name"],
        problem: problem(problems, Field::Name),
    }
}

pub(super) fn document_number<'a>(typed: &'a Typed, problems: &'a Problems) -> Line<'a> {
    Line {
        name: "document_number",
        label: Text::new("证件号码", "Document number"),
        hint: None,
        value: &typed.document_number,
        need: true,
        kinds: ["text", "text", "off"],
        problem: problem(problems, Field::DocumentNumber),
    }
}

pub(super) fn phone<'a>(value: &'a str, problems: &'a Problems) -> Line<'a> {
    Line {
        name: "phone",
        label: Text::new("手机号", "Mobile phone"),
        hint: Some(Text::new("境外号码以 + 开头，如 +852", "Begin with + for a number from abroad, such as +852")),
        value,
        need: true,
        kinds: ["tel", "tel", "tel"],
        problem: problem(problems, Field::Phone),
    }
}

/// Building, unit, door and vehicles: none of them must be told.
pub(super) fn places<'a>(typed: &'a Typed, problems: &'a Problems) -> [Line<'a>; 4] {
    let line = |field, label, hint, value| Line {
        name: name_of(field),
        label,
        hint,
        value,
        need: false,
        kinds: ["text", "text", "off"],
        problem: problem(problems, field),
    };
    let plates = Some(Text::new("如 陕A12345，几个车牌用逗号分开", "Such as 陕A12345; commas between several"));
    [
        line(Field::Building, Text::new("楼栋 / 排", "Building or row"), None, &typed.building),
        line(Field::Unit, Text::new("单元", "Unit"), None, &typed.unit),
        line(Field::Door, Text::new("门牌号", "Door"), None, &typed.door),
        line(Field::Plates, Text::new("车牌号", "Vehicle plates"), plates, &typed.plates),
    ]
}

pub(super) fn document_kinds(typed: &Typed) -> Vec<Choice> {
    let choice = |kind: DocumentKind| Choice {
        value: kind.name().to_owned(),
        label: document_name(kind),
        chosen: typed.document_kind == kind.name(),
    };
    DocumentKind::ALL.map(choice).into()
}

pub(super) fn genders(typed: &Typed) -> Vec<Choice> {
    let choice = |gender: Gender| Choice {
        value: gender.name().into(),
        label: gender.text(),
        chosen: typed.gender == gender.name(),
    };
    Gender::ALL.map(choice).into()
}

/// A line of the summary at the top of a form: which field, and what is wrong.
pub(super) fn summary(frame: Frame, problems: &Problems) -> Vec<(&'static str, String)> {
    problems.iter().map(|(field, text)| (name_of(*field), frame.say(text).to_owned())).collect()
}
