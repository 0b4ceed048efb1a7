//! The people who work at a gate: who they are, how they log in, and what their shift was.
//!
//! `roster` (names and PINs, in `guards.json`) -> `door` (log in, slowed after failures) -> `shift` (who is on duty, and what
//! was decided meanwhile). A PIN is short, so what stands against guessing is the pause after failures; what stands
//! against a stolen card is argon2, and it does not stand for long: see docs/THREAT-MODEL.md.

mod door;
mod roster;
mod shift;

pub use door::{Door, LogInError};
pub use roster::{Guard, Pin, Role, Roster, RosterError};
pub use shift::{Counts, Ended, Shift};
