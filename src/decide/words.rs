//! What a decision says to the guard and to the resident, from `ui/lang/reasons.toml`.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::{Decision, Detail, Reason, Verdict};
use crate::lang::Text;

/// The sentences of one decision.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sentences {
    /// The reason in a word or two.
    pub title: Text,
    /// What the guard should know or do.
    pub guard: Text,
    /// What the resident can do.
    pub resident: Text,
}

static SENTENCES: LazyLock<HashMap<String, Sentences>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the file is part of the program; a test reads all of it")]
    toml::from_str(include_str!("../../ui/lang/reasons.toml")).expect("ui/lang/reasons.toml")
});

/// What `decision` says.
pub fn words(decision: &Decision) -> Sentences {
    let Some(template) = SENTENCES.get(&section(decision)) else {
        // Cannot be: a test looks every section up. The code alone is still better than a panic at a gate.
        let code = Text::new(decision.reason.code(), decision.reason.code());
        return Sentences { title: code.clone(), guard: code.clone(), resident: code };
    };
    let (time, lane) = match &decision.detail {
        Detail::Seconds(s) => (Text::span(*s), Text::default()),
        Detail::Used { ago, lane } => (Text::span(*ago), Text::new(lane, lane)),
        Detail::Opens { when, .. } => (when.clone(), Text::default()),
        Detail::None | Detail::Look | Detail::Group(_) | Detail::Foreign(_) => Default::default(),
    };
    let people = if let Detail::Group(people) = decision.detail { people.to_string() } else { String::new() };
    let people = Text::new(&people, &people);
    let fill = |text: &Text| text.with("time", &time).with("lane", &lane).with("people", &people);
    Sentences { title: fill(&template.title), guard: fill(&template.guard), resident: fill(&template.resident) }
}

fn section(decision: &Decision) -> String {
    let reason = decision.reason;
    let variant = match (reason, &decision.detail) {
        // With current lists a sync seldom helps, and the guard cannot decide.
        (Reason::UnknownKey, _) if decision.verdict == Verdict::Deny => "current",
        (Reason::ListStale, _) if decision.verdict == Verdict::Deny => "refused",
        (Reason::PhoneClockWrong, Detail::Seconds(ahead)) if *ahead < 0 => "behind",
        (Reason::PhoneClockWrong, _) => "ahead",
        (Reason::NotOurCode, Detail::Foreign(what)) => what.code(),
        (Reason::NotOurCode, _) => "other",
        (_, Detail::Look) => "look",
        (_, Detail::Group(_)) => "group",
        _ => return reason.code().to_owned(),
    };
    format!("{}.{variant}", reason.code())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::decide::Foreign;

    fn details(reason: Reason) -> Vec<Detail> {
        match reason {
            Reason::Fresh => vec![Detail::None, Detail::Look, Detail::Group(5)],
            Reason::PhoneClockWrong => vec![Detail::Seconds(840), Detail::Seconds(-840)],
            Reason::NotOurCode => {
                [Foreign::Payment, Foreign::Web, Foreign::Other].into_iter().map(Detail::Foreign).collect()
            }
            Reason::AlreadyUsed => vec![Detail::Used { ago: 180, lane: "2".into() }],
            Reason::OutsideHours => vec![Detail::Opens { at: 0, when: Text::new("明天06:00", "tomorrow 06:00") }],
            Reason::Expired | Reason::NotYetValid | Reason::ListStale => vec![Detail::Seconds(180)],
            _ => vec![Detail::None],
        }
    }

    #[test]
    fn every_reason_has_its_sentences_in_every_language_and_no_sentence_is_left_over() {
        let mut used = BTreeSet::new();
        for reason in Reason::ALL {
            let cases =
                details(reason).into_iter().flat_map(|d| [Verdict::Deny, Verdict::Confirm].map(|v| (v, d.clone())));
            for (verdict, detail) in cases {
                let decision = Decision { verdict, reason, detail, kind: None, facts: None };
                let section = section(&decision);
                assert!(SENTENCES.contains_key(&section), "no section [{section}]");
                let s = words(&decision);
                for text in [&s.title, &s.guard, &s.resident] {
                    assert!(!text.zh.is_empty() && !text.en.is_empty(), "{section}");
                    assert!(!text.zh.contains('{') && !text.en.contains('{'), "{section}: {text:?}");
                }
                used.insert(section);
            }
        }
        assert_eq!(SENTENCES.keys().cloned().collect::<BTreeSet<_>>(), used);
    }

    #[test]
    fn a_fast_phone_is_told_by_how_much() {
        let decision = Decision {
            verdict: Verdict::Deny,
            reason: Reason::PhoneClockWrong,
            detail: Detail::Seconds(840),
            kind: None,
            facts: None,
        };
        assert_eq!(words(&decision).guard.en, "The phone is 14 minutes fast");
        assert_eq!(words(&decision).guard.zh, "手机时间快了14分钟");
    }
}
