//! Contacts: what a turnstile or a fire alarm says by closing a circuit.
//!
//! They are asked a hundred times a second rather than waited for: a level that is asked for cannot be missed, needs no
//! interrupts of the board, and a contact that bounces or rattles costs no more than one that is still.

use std::time::Duration;

use super::GateError;

/// How often a contact is asked.
pub(super) const ASKED: Duration = Duration::from_millis(10);
/// A level counts once it was the same so often: contacts bounce for some milliseconds.
const STEADY: u8 = 3;

/// An input.
pub trait Contact: Send {
    /// Whether it says so at this moment.
    ///
    /// # Errors
    /// [`GateError::Driver`].
    fn is_active(&self) -> Result<bool, GateError>;
}

/// A contact without its bouncing.
pub(super) struct Steady {
    contact: Box<dyn Contact>,
    /// Unknown at first, and after it did not answer.
    level: Option<bool>,
    other: u8,
}

impl Steady {
    pub(super) fn new(contact: Box<dyn Contact>) -> Self {
        Self { contact, level: None, other: 0 }
    }

    /// Asks it, once every [`ASKED`].
    pub(super) fn ask(&mut self) -> Result<bool, GateError> {
        let known = self.level.take();
        let active = self.contact.is_active()?;
        let level = known.unwrap_or(active);
        self.other = if active == level { 0 } else { self.other + 1 };
        let level = if self.other >= STEADY { active } else { level };
        if level == active {
            self.other = 0;
        }
        self.level = Some(level);
        Ok(level)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    struct Wire(RefCell<std::vec::IntoIter<bool>>);

    impl Contact for Wire {
        fn is_active(&self) -> Result<bool, GateError> {
            Ok(self.0.borrow_mut().next().unwrap())
        }
    }

    #[test]
    fn a_contact_that_bounces_closes_once() {
        let levels: Vec<bool> = "0010110111111010011000".chars().map(|c| c == '1').collect();
        let mut steady = Steady::new(Box::new(Wire(RefCell::new(levels.clone().into_iter()))));
        let seen: String = levels.iter().map(|_| if steady.ask().unwrap() { '1' } else { '0' }).collect();
        assert_eq!(seen, "0000000001111111111110");
        let mut open = Steady::new(Box::new(Wire(RefCell::new(vec![true, true].into_iter()))));
        assert!(open.ask().unwrap(), "what it is at first needs no proof");
    }
}
