//! The checkpoint: what happens to a frame on its way from the camera to the gate.
//!
//! `capture -> decode -> decide -> gate`, with the `store` and the `screen` told at the side; [`lane`] wires them together.
//! See `docs/ARCHITECTURE.md`.

pub mod capture;
pub mod clock;
pub mod config;
pub mod decide;
pub mod decode;
pub mod gate;
pub mod guards;
pub mod lane;
pub mod lang;
pub mod roster;
pub mod screen;
pub mod service;
pub mod sound;
pub mod store;
pub mod sync;
pub mod watchdog;
