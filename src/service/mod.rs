//! What is known of this gate itself, in words, for whoever looks after it: `tongguan doctor`, the service page and the support
//! bundle all say it from here.

mod bundle;
mod checks;
mod findings;
mod kept;
mod machine;

pub use bundle::{Bundle, History, SupportError};
pub use checks::{Check, checks};
pub use findings::{Enrolment, Findings, Rung, colour, second, summary};
pub use kept::Kept;
pub use machine::Machine;
