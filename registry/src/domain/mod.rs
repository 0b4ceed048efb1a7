//! The registry's rules, without I/O: time, randomness and what is stored come in as arguments.

pub mod audit;
pub mod events;
pub mod genesis;
pub mod handle;
pub mod issue;
pub mod mask;
pub mod person;
pub mod phone;
pub mod plate;
pub mod policy;
pub mod policy_file;
pub mod profile;
pub mod proof;
pub mod publish;
pub mod registration;
pub mod roster;
pub mod rotation;
pub mod session;
pub mod signers;
pub mod time;
pub mod vault;
pub mod workdays;
