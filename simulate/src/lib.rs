//! A city's registry, its gates and everything that goes wrong around them, simulated from a seed.
pub mod disk;
pub mod vfs;
