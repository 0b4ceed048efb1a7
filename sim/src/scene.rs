//! What stands between a code and the camera: place, light and lens, as plain numbers.

/// One moment in front of the camera. Lengths are pixels of the frame, angles degrees, light grey levels of 256.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// How near the code is: the side it would have on the frame, without tilt, in pixels.
    pub code_side: f32,
    /// Where the middle of the code is, as a share of the frame's width and height; outside 0 to 1 it is out of view.
    pub centre: [f32; 2],
    /// Turned in the plane of the frame, degrees, clockwise.
    pub rotation: f32,
    /// Tilted about the horizontal and about the vertical axis, degrees, in real perspective.
    pub tilt: [f32; 2],
    /// How far the visitor has come into view behind the phone: 0 is not there, 1 is at the middle.
    pub visitor: f32,
    /// Out of focus: standard deviation of a Gaussian, pixels.
    pub blur: f32,
    /// Moved while the shutter was open.
    pub motion: Motion,
    /// Light thrown back by the glass or the paper.
    pub glare: Glare,
    /// Grey levels added to every pixel.
    pub brightness: f32,
    /// Distance from middle grey is multiplied by this; 1 leaves it alone.
    pub contrast: f32,
    /// Standard deviation of the sensor's noise, grey levels.
    pub noise: f32,
    /// How much of the gate, the wall and the visitor stands out behind the phone: 0 is a flat ground, 1 all of it.
    pub clutter: f32,
    /// Chooses the noise. The camera and the surface have seeds of their own.
    pub seed: u64,
}

/// The path of a pixel while the shutter is open.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Motion {
    /// Length of the path, pixels.
    pub length: f32,
    /// Its direction, degrees clockwise from the right.
    pub direction: f32,
}

/// Light thrown back by the surface.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Glare {
    /// Of the lamp's spot: grey levels at its middle.
    pub spot: f32,
    /// Where the spot is, in sides of the code from its middle.
    pub at: [f32; 2],
    /// Standard deviation of the spot, in sides of the code.
    pub size: f32,
    /// Of a bright window mirrored as a slanting band: grey levels.
    pub reflection: f32,
}

impl Default for Scene {
    /// A phone held as most people hold it: near, nearly straight, a little soft and noisy.
    fn default() -> Self {
        Self {
            code_side: 340.0,
            centre: [0.5, 0.5],
            rotation: 3.0,
            tilt: [6.0, -5.0],
            visitor: 1.0,
            blur: 0.8,
            motion: Motion::default(),
            glare: Glare { spot: 40.0, at: [0.55, -0.6], size: 0.22, reflection: 10.0 },
            brightness: 0.0,
            contrast: 1.0,
            noise: 3.0,
            clutter: 1.0,
            seed: 1,
        }
    }
}
