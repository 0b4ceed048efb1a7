//! What was shown, in a line for the guard: the kind of code, and what the registry signed about its holder.

use tongguan_pass::Kind;

use super::{Decision, Facts};
use crate::lang::Text;

/// The parts of the line that are known. Of a code whose signatures do not hold that is the kind alone. Where the gate serves no
/// community in particular, nobody is of another one.
pub fn what(decision: &Decision, communities: &[u32]) -> Option<Text> {
    let mut parts: Vec<Text> = decision.kind.map(kind).into_iter().collect();
    if let Some(Facts { category, community, entries, .. }) = decision.facts {
        if !communities.is_empty() {
            parts.push(if communities.contains(&community) {
                Text::new("本小区居民", "own resident")
            } else {
                Text::new("外小区人员", "other community")
            });
        }
        // What a number stands for is the city's policy; the guards know theirs.
        parts.push(Text::new(format!("类别 {category}"), format!("category {category}")));
        if entries > 1 {
            parts.push(Text::new(format!("{entries}人"), format!("{entries} people")));
        }
    }
    let line = |pick: fn(&Text) -> &str| parts.iter().map(pick).collect::<Vec<_>>().join(" · ");
    (!parts.is_empty()).then(|| Text::new(line(|part| &part.zh), line(|part| &part.en)))
}

fn kind(kind: Kind) -> Text {
    match kind {
        Kind::Live => Text::new("在线码", "Online code"),
        Kind::Carried => Text::new("离线码", "Offline code"),
        Kind::Printed => Text::new("纸质码", "Paper pass"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::{Detail, Reason, Verdict};

    fn said(kind: Option<Kind>, facts: Option<Facts>, communities: &[u32]) -> Option<(String, String)> {
        let decision = Decision { verdict: Verdict::Pass, reason: Reason::Fresh, detail: Detail::None, kind, facts };
        what(&decision, communities).map(|text| (text.zh, text.en))
    }

    #[test]
    fn only_what_is_known_is_said() {
        let facts = |entries| Some(Facts { handle: 7, category: 2, community: 3, entries, issued_at: None });
        let wanted = |zh: &str, en: &str| Some((zh.to_owned(), en.to_owned()));
        assert_eq!(said(None, None, &[3]), None);
        assert_eq!(said(Some(Kind::Carried), None, &[3]), wanted("离线码", "Offline code"));
        assert_eq!(said(Some(Kind::Live), facts(1), &[]), wanted("在线码 · 类别 2", "Online code · category 2"));
        assert_eq!(
            said(Some(Kind::Live), facts(1), &[1, 3]),
            wanted("在线码 · 本小区居民 · 类别 2", "Online code · own resident · category 2")
        );
        assert_eq!(
            said(Some(Kind::Printed), facts(5), &[1]),
            wanted("纸质码 · 外小区人员 · 类别 2 · 5人", "Paper pass · other community · category 2 · 5 people")
        );
    }
}
