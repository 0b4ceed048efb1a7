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
    /// Light of the thing held up is multiplied by this: below 1 a dimmed screen or a card in the shade, above 1 one that
    /// the camera overexposes until white runs over black.
    pub light: f32,
    /// The screen's own pixels, sampled by the camera's.
    pub grid: Grid,
    /// The dark bands of a screen that is dimmed by switching it on and off.
    pub pwm: Pwm,
    /// What the hand does to the picture while the rows are read one after the other.
    pub shutter: Shutter,
    /// Broken glass over the code.
    pub cracks: Cracks,
    /// A finger or a sticker over the code's edge.
    pub occlusion: Occlusion,
    /// A cheap lens: straight lines bend away from the middle of the frame (k1 of the division model, distance in halves
    /// of the frame's width). Negative is a barrel, positive a cushion.
    pub distortion: f32,
    /// Paper that was folded and does not lie flat.
    pub fold: Fold,
    /// The frame was JPEG at this quality (1 to 100) on its way.
    pub jpeg: Option<u8>,
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

/// A screen is a grid of pixels, each of three coloured columns with dark gaps around. A camera whose own pixels are of
/// about the same pitch sees bands where the two rasters beat: moire.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// How much of the grid's depth the lens lets through: 0 nothing, 1 all.
    pub amplitude: f32,
    /// From one pixel of the screen to the next, millimetres: 0.06 a phone, 0.27 a monitor.
    pub pitch: f32,
}

impl Default for Grid {
    fn default() -> Self {
        Self { amplitude: 0.0, pitch: 0.1 }
    }
}

/// Bands of a switched screen, which a rolling shutter cuts into rows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pwm {
    /// How much darker a band is: 0 nothing, 1 black.
    pub depth: f32,
    /// Bands in the height of a frame.
    pub bands: f32,
    /// Where the first one is, 0 to 1 of the way from band to band: moves from frame to frame.
    pub phase: f32,
}

/// Movement between the first row of a frame and the last.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Shutter {
    /// Pixels to the right from the first row to the last.
    pub skew: f32,
    /// Pixels to and fro, of a hand that trembles.
    pub wobble: f32,
    /// Trembles in the height of a frame.
    pub beats: f32,
}

/// Lines of broken glass.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cracks {
    /// Lines across the code.
    pub lines: usize,
    /// Chooses where they run.
    pub seed: u64,
}

/// Something in front of the code.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Occlusion {
    /// How far it reaches into the code, in sides of the code.
    pub share: f32,
    /// Chooses what it is and from where it comes.
    pub seed: u64,
}

/// Relief of paper.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Fold {
    /// How far the paper stands up along its two creases, millimetres.
    pub depth: f32,
    /// How far the paper has bent away at half a code's side from the middle, millimetres.
    pub bend: f32,
    /// Chooses where the creases run.
    pub seed: u64,
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
            light: 1.0,
            grid: Grid::default(),
            pwm: Pwm::default(),
            shutter: Shutter::default(),
            cracks: Cracks::default(),
            occlusion: Occlusion::default(),
            distortion: 0.0,
            fold: Fold::default(),
            jpeg: None,
            clutter: 1.0,
            seed: 1,
        }
    }
}
