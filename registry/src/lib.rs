//! The city's registry: people and their codes, revocations, and the signed lists that checkpoints fetch.
//!
//! - [`domain`]: the rules, without I/O.
//! - [`store`]: what is kept, as operations of the domain; SQLite is one implementation.
//! - [`registry`]: the acts, joining rules, store, keys, clock and randomness.
//! - [`api`], [`pages`]: the acts over HTTP, for programs and for people.
//! - [`jobs`]: what happens by itself.
//! - [`keys`], [`ceremony`]: changing the signing keys, and what the holders of the root keys do without a network.
//! - [`policy`]: changing what gates let in. [`roster`]: making what they look people up in.
//! - [`places`]: the city's districts, zones and communities, found by whatever people type. [`lang`]: what is said in two languages.
//! - [`import`], [`stick`]: what a stick brings from gates without a network. [`verify_events`]: whether what is stored is what
//!   the gates signed.
//! - [`data`], [`founding`], [`bundle`], [`config`], [`edge`]: the data folder, how it comes to be, the folder for a USB stick, the
//!   configuration, and where time and randomness come in.
#![forbid(unsafe_code)]

pub mod api;
pub mod bundle;
pub mod ceremony;
pub mod config;
pub mod data;
pub mod domain;
pub mod edge;
pub mod founding;
pub mod import;
pub mod jobs;
pub mod keys;
pub mod lang;
pub mod message;
pub mod pages;
pub mod places;
pub mod policy;
pub mod poster;
mod qr;
pub mod registry;
pub mod residents;
pub mod roster;
pub mod sms;
pub mod stick;
pub mod store;
pub mod verify_events;

pub use registry::{Error, Registry};
