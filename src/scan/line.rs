//! Characters one by one, until they are a text.

/// The longest code has 296 characters (PASS-FORMAT); anything much longer is no code of anybody's.
const LONGEST: usize = 1024;

/// A text that is being read.
#[derive(Debug, Default)]
pub(super) struct Line {
    text: String,
    /// It is too long: the rest, up to its end, is passed over.
    overlong: bool,
    /// Something of it was lost: the rest, up to its end, is no text.
    torn: bool,
}

impl Line {
    /// Takes a character; an end of line or a tab ends a text.
    pub(super) fn push(&mut self, c: char) -> Option<String> {
        match c {
            '\r' | '\n' | '\t' => self.take(),
            // A reader's prefix, or a line that is torn.
            c if c.is_control() => None,
            _ if self.overlong || self.torn => None,
            _ if self.text.len() >= LONGEST => {
                // What is there is judged as what it is: damaged. Whoever holds it is told so.
                self.overlong = true;
                None
            }
            c => {
                self.text.push(c);
                None
            }
        }
    }

    /// Nothing has come for a while: what is there is all there will be.
    pub(super) fn pause(&mut self) -> Option<String> {
        self.take()
    }

    /// Something was lost, of this text or between it and the next.
    pub(super) fn lose(&mut self) {
        *self = Self { torn: true, ..Self::default() };
    }

    fn take(&mut self) -> Option<String> {
        let Self { text, .. } = std::mem::take(self);
        let trimmed = text.trim();
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(input: &str) -> Vec<String> {
        let mut line = Line::default();
        let mut texts: Vec<String> = input.chars().filter_map(|c| line.push(c)).collect();
        texts.extend(line.pause());
        texts
    }

    #[test]
    fn a_text_ends_with_its_line_a_tab_or_a_pause() {
        assert_eq!(texts("TG1:AB\r\nTG1:CD\t\n\r TG1:EF \nTG1:GH"), ["TG1:AB", "TG1:CD", "TG1:EF", "TG1:GH"]);
        assert_eq!(texts("\u{2}TG1:A\u{3}B\u{0}\n"), ["TG1:AB"]);
        assert_eq!(texts("\r\n\t  \n"), [""; 0]);
    }

    #[test]
    fn a_text_without_end_takes_no_memory_and_the_next_one_is_whole() {
        let long = "A".repeat(100_000);
        let texts = texts(&format!("{long}\nTG1:AB\n"));
        assert_eq!((texts[0].len(), texts[1].as_str(), texts.len()), (LONGEST, "TG1:AB", 2));
    }

    #[test]
    fn what_was_torn_is_no_text() {
        let mut line = Line::default();
        assert!("TG1:AB".chars().all(|c| line.push(c).is_none()));
        line.lose();
        assert!("CDEF\n".chars().all(|c| line.push(c).is_none()), "nor is its rest");
        assert!("TG1:GH".chars().all(|c| line.push(c).is_none()));
        assert_eq!(line.push('\n').as_deref(), Some("TG1:GH"));
        line.lose();
        assert_eq!((line.push('A'), line.pause()), (None, None), "its end was lost as well");
        assert_eq!((line.push('B'), line.pause().as_deref()), (None, Some("B")));
    }
}
