//! A phone in front of a gate's camera, simulated.
//!
//! Real codes are laid out on a phone's screen or on a printed card ([`Medium`], [`Surface`]), put in front of a gate
//! ([`Camera`]) as a [`Scene`] says, and come out as the grey frames a camera would deliver. The demo, the tests and the
//! benches read these frames through the checkpoint's own decoding, so nothing on the way is a shortcut.
//!
//! Everything is drawn from seeds: the same text, medium and scene give the same frame, to the last bit.
//!
//! ```
//! use tongguan_sim::{Camera, Medium, Scene, Surface};
//!
//! let surface = Surface::new("TG1:EXAMPLE", Medium::Phone, 7)?;
//! let camera = Camera::new(1280, 720, 7);
//! let frame = camera.see(Some(&surface), &Scene::default());
//! assert_eq!(frame.dimensions(), (1280, 720));
//! # Ok::<(), tongguan_sim::TextTooLong>(())
//! ```

mod backdrop;
pub mod cases;
pub mod corpus;
mod cover;
mod frame;
mod glass;
mod medium;
mod optics;
mod paper;
mod patch;
pub mod phone;
mod plane;
mod scene;
mod screen;
mod surface;
mod texture;
mod walk;
mod way;
pub mod y4m;

pub use cases::{Case, Expected, Issuer};
pub use frame::Camera;
pub use medium::Medium;
pub use phone::Phone;
pub use scene::{Cracks, Fold, Glare, Grid, Motion, Occlusion, Pwm, Scene, Shutter};
pub use surface::{Surface, TextTooLong};
pub use walk::{FPS, Phase, Walk};
