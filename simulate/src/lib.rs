//! A city's registry, its gates and everything that goes wrong around them, simulated from a seed under a perfect observer. A
//! tool for developers, and not `tongguan-sim`, which plays a phone in front of a camera.
//!
//! - [`run`]: one run, drawn from a seed ([`scenario`]), with what people show ([`shown`]) and what is counted ([`tally`]).
//! - [`observer`], [`ledger`]: what must be true of an answer, of a clock, of a gate's stores.
//! - [`city`], [`gate`]: the real registry and the real gate, and what is known about them beside.
//! - [`world`], [`network`], [`vfs`], [`disk`]: the time, the way between them and the disk below them, which are played.
//! - [`power_cut`]: the power goes at every step of a gate's databases to the disk.

pub mod city;
pub mod disk;
pub mod gate;
pub mod ledger;
pub mod network;
pub mod observer;
pub mod power_cut;
pub mod rules;
pub mod run;
pub mod scenario;
pub mod shown;
pub mod tally;
pub mod vfs;
pub mod world;
