//! A city's registry, its gates and everything that goes wrong around them, simulated from a seed.
pub mod city;
pub mod disk;
pub mod gate;
pub mod ledger;
pub mod network;
pub mod observer;
pub mod power_cut;
pub mod run;
pub mod scenario;
pub mod shown;
pub mod tally;
pub mod vfs;
pub mod world;
